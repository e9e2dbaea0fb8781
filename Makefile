# All commands of the project. They need python3 (3.10 or newer), make and a package index, and install the rest.
.DEFAULT_GOAL := help
.PHONY: help demo test soak check audit format reference bench fuzz mutants mutants-code lock deploy clean

PYTHON ?= python3
# uv from PATH, or else the one that tools/ pins, in .uv/
UV := $(shell command -v uv || echo .uv/bin/uv)
BIN := .venv/bin
# Each is locked with hashes in tools/ and installed into .tools/
TOOLS := cfn-lint checkov detect-secrets pip-audit
export PATH := $(CURDIR)/$(BIN):$(PATH)
export VIRTUAL_ENV := $(CURDIR)/.venv
export SAM_CLI_TELEMETRY := 0

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/ready  ## Deploy to the local account, send an order, show the reply and the timeline
	@$(BIN)/mailstep demo

# Two workers, each with a local account. The cloud's modules come first, because they take longest.
test: .venv/ready  ## Run every test
	@$(BIN)/pytest -n 2 --dist loadgroup --no-loadscope-reorder

soak: .venv/ready  ## Run the tests that take minutes each: 400 messages at once, 1,000 replays that are interrupted
	@$(BIN)/pytest -m soak

check: .venv/ready $(TOOLS:%=.tools/%/ready)  ## Run the static checks: format, lint, types, imports, templates, state machine, policies, secrets, advisories
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint template.yaml receiving.yaml mailstep_cli/verify/stack.yaml
	.tools/cfn-lint/bin/cfn-lint --config-file .cfn-lint-serverless.yaml -- template.yaml receiving.yaml
	$(BIN)/mailstep routes >/dev/null
	$(BIN)/sam validate --lint
	$(BIN)/sam validate --lint --config-env receiving
	@# It takes no JSONata for Seconds, TimeoutSeconds and HeartbeatSeconds; the Amazon States Language does.
	! $(BIN)/statelint statemachine/email.asl.json 2>&1 | grep -vE '^[0-9]+ errors?:$$|is "\{%.*%\}" but should be an Integer$$' | grep .
	! $(BIN)/statelint statemachine/later_answer.asl.json 2>&1 | grep .
	! $(BIN)/statelint statemachine/replay.asl.json 2>&1 | grep -vE '^(One|[0-9]+) errors?:$$|Field "InputType" not allowed' | grep .
	@# The policy linter, on the templates as AWS would create them; its exceptions are in .checkov.yaml.
	@mkdir -p .aws-sam
	$(BIN)/python -W ignore -m tests.support.transformed .aws-sam/transformed 2>.aws-sam/transformed.log || { cat .aws-sam/transformed.log; exit 1; }
	.tools/checkov/bin/checkov --config-file .checkov.yaml -d .aws-sam/transformed
	@# Secrets: what .secrets.baseline lists is known and opens nothing.
	git ls-files -z -- ':!*requirements*.txt' ':!.secrets.baseline' | xargs -0 \
	  .tools/detect-secrets/bin/detect-secrets-hook --baseline .secrets.baseline
	@told=$$($(MAKE) --no-print-directory audit 2>&1) || { echo "$$told"; exit 1; }; echo "$$told" | awk \
	  '/could not be audited/ {n++; next} !/^(Name +Skip Reason|-+ +-+)$$/ {print} END {if (n) print n " packages could not be audited: make audit lists them"}'

audit: .venv/ready .tools/pip-audit/ready  ## Check every pinned package for known vulnerabilities; list the packages that could not be checked
	.tools/pip-audit/bin/pip-audit --disable-pip --require-hashes -r requirements.txt

format: .venv/ready  ## Format the code and fix what lint can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

reference: .venv/ready  ## Generate docs/schemas, message.md, policy.md, metrics.md, parameters.md and aws-facts.md from the code
	$(BIN)/python -m mailstep_cli.reference docs

bench: .venv/ready  ## Compare the parser and the reader of tables with others, as ratios in one run; 40 MB of the worst kinds
	@$(BIN)/python -W ignore -m bench.parsing
	@$(BIN)/python -W ignore -m bench.hostile
	@$(BIN)/python -W ignore -m bench.tables

fuzz: .venv/ready  ## Parse 200,000 mutated real messages (about ten minutes)
	@$(BIN)/python -W ignore -m bench.fuzz --messages 200000 --seed 1

mutants: .venv/ready  ## Make small faults, one by one in a copy, and print those that no test notices
	@$(BIN)/python -W ignore -m tests.mutants.code; code=$$?; $(BIN)/python -W ignore -m tests.mutants && exit $$code

mutants-code: .venv/ready  ## The same, only those that mutmut makes in the code that decides which mail to trust
	@$(BIN)/python -W ignore -m tests.mutants.code

lock: $(UV)  ## Resolve the pinned requirements again (python packages with their hashes)
	$(UV) pip compile -q --universal --generate-hashes --no-annotate --no-header --no-emit-index-url \
	  --upgrade --python-version 3.13 pyproject.toml --group dev -o requirements.txt
	$(UV) pip compile -q --universal --generate-hashes --no-annotate --no-header --no-emit-index-url \
	  --python-version 3.13 --group functions -c requirements.txt -o functions/requirements.txt
	$(UV) pip compile -q --universal --generate-hashes --no-annotate --no-header --no-emit-index-url \
	  --python-version 3.13 -c requirements.txt examples/application/requirements.in -o examples/application/requirements.txt
	for tool in $(TOOLS) awscli uv; do $(UV) pip compile -q --universal --generate-hashes --no-annotate --no-header --no-emit-index-url \
	  --python-version 3.13 tools/$$tool-requirements.in -o tools/$$tool-requirements.txt || exit; done

deploy: .venv/ready  ## Build and deploy both stacks, with the variables of docs/deploy.md, step 1
	@: $${DOMAIN:?docs/deploy.md, step 1} $${OPERATOR:?docs/deploy.md, step 1} $${RECEIVING_REGION:?docs/deploy.md, step 1}
	@mailstep routes >/dev/null
	sam build
	sam deploy --parameter-overrides Domain=$$DOMAIN OperatorEmail=$$OPERATOR ReceivingRegion=$$RECEIVING_REGION
	sam deploy --config-env receiving --region $$RECEIVING_REGION --parameter-overrides Domain=$$DOMAIN Routes=$$(mailstep routes --names) CatchAllRoute=\"$$(mailstep routes --catch-all)\"

clean:  ## Remove everything that was created here
	rm -rf .venv .uv .tools .aws-sam .mailstep .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .grimp_cache

.venv/ready: requirements.txt pyproject.toml | $(UV)
	@echo "Installing the environment (once, about a minute) ..."
	@$(UV) venv --quiet --allow-existing --python 3.13 .venv
	@$(UV) pip sync --quiet --compile-bytecode requirements.txt
	@$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# A tool has an environment of its own, since its requirements may differ from ours. Every file of it has a known hash.
.tools/%/ready: tools/%-requirements.txt .venv/ready
	@echo "Installing $* (once) ..."
	@$(UV) venv --quiet --allow-existing --python 3.13 .tools/$*
	@VIRTUAL_ENV=$(CURDIR)/.tools/$* $(UV) pip sync --quiet --require-hashes $<
	@touch $@

.uv/bin/uv: tools/uv-requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("Mailstep needs python3 3.10 or newer; this is " + sys.version.split()[0] + ". Name another with: make PYTHON=python3.13") if sys.version_info < (3, 10) else None'
	@$(PYTHON) -m venv .uv 2>/dev/null && .uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $< \
	  || { rm -rf .uv && $(PYTHON) -m pip install --quiet --disable-pip-version-check --target .uv --require-hashes -r $<; } \
	  || { echo "uv could not be installed: this python3 has neither venv nor pip (Debian: apt install python3-venv)" >&2; rm -rf .uv; exit 2; }
