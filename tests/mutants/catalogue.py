"""The faults: each promise that one small slip could break, with the tests that have to notice.

Over 300 lines, because the list of faults is one.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from tests.mutants.constants import constants, limits, told
from tests.mutants.edits import Location, Mutant, in_json, in_yaml, parsed, removed, replaced, swapped, walk
from tests.support.project import PROJECT

DEFINITION = "statemachine/email.asl.json"
LATER_DEFINITION = "statemachine/later_answer.asl.json"
REPLAY_DEFINITION = "statemachine/replay.asl.json"
TEMPLATE = "template.yaml"
RECEIVING = "receiving.yaml"
POLICY = "functions/mailstep/validate/policy.py"
AUTOMATIC_MAIL = "functions/mailstep/validate/automatic_mail.py"
SES_BLOCK = "functions/mailstep/parse/ses_verdicts.py"
ATTACHED_FILES = "functions/mailstep/validate/attached_files.py"
METRICS = "functions/mailstep/metrics.py"
LEDGER = "functions/mailstep/aws/ledger.py"
REPLY_COUNTS = "functions/mailstep/aws/reply_counts.py"
INDEX_ENTRY = "functions/mailstep/index_entry.py"
MESSAGE_INDEX = "functions/mailstep/aws/message_index.py"
GAPS = "functions/mailstep/index/sweep/gaps.py"
THREADS = "functions/mailstep/aws/threads.py"
SUPPRESSION = "functions/mailstep/feedback/suppression.py"
MAIL_BUCKET = "functions/mailstep/aws/mail_bucket.py"
SIGNING = "functions/mailstep/process/signing.py"
EXCHANGE = "functions/mailstep/process/exchange.py"
REQUEST = "functions/mailstep/process/request.py"
ANSWERS = "functions/mailstep/answers.py"
LIMITS = "functions/mailstep/limits.py"
SEND_ONCE = "functions/mailstep/reply/send_once.py"
COMPOSE = "functions/mailstep/reply/compose.py"
KEYS = "functions/mailstep/keys.py"
SES = "functions/mailstep/aws/ses.py"

UNCHANGED: dict[str, Callable[[str], str]] = {
    **{
        file: lambda text: json.dumps(json.loads(text), indent=2)
        for file in (DEFINITION, LATER_DEFINITION, REPLAY_DEFINITION)
    },
    **{file: lambda text: json.dumps(parsed(text)) for file in (TEMPLATE, RECEIVING)},
}
"""The files that an edit rewrites as a whole, rewritten without a fault: their tests must pass all the same."""


def unit(*names: str, only: str = "") -> tuple[str, ...]:
    """Pytest's arguments for test modules of tests/unit; `only`, an expression for -k."""
    return (*(f"tests/unit/test_{name}.py" for name in names), *(("-k", only) if only else ()))


def workflow(only: str) -> tuple[str, ...]:
    return ("tests/workflow", "-k", only)


def read(file: str) -> str:
    return (PROJECT / file).read_text()


# ---- The definitions of the workflows ----


MACHINES: dict[str, tuple[Location, tuple[str, ...]]] = {
    DEFINITION: (("States",), unit("definition")),
    LATER_DEFINITION: (("States",), unit("later_answers", only="retried_as")),
    REPLAY_DEFINITION: (("States", "ReplayEach", "ItemProcessor", "States"), unit("replay_definition")),
}
"""Where the states of each definition are that have tasks, and the tests of their retries and timeouts."""


def tasks() -> Iterator[tuple[str, Location, dict[str, Any], tuple[str, ...]]]:
    """Each Task of each definition: the file, where it stands, the task, and the tests."""
    for file, (location, tests) in MACHINES.items():
        states = json.loads(read(file))
        for step in location:
            states = states[step]
        for name, body in states.items():
            if body["Type"] == "Task":
                yield file, (*location, name), body, tests


def error_names() -> Iterator[Mutant]:
    """Each name in each ErrorEquals, misspelt."""
    for file, task, body, tests in tasks():
        for location, value in walk(body):
            if "ErrorEquals" in location[:-1] and isinstance(value, str):
                name = " ".join(map(str, (task[-1], *location)))
                change = in_json((*task, *location), lambda found: f"{found[:-1]}")
                yield Mutant(f"error name misspelt: {name} ({value})", file, change, tests)


def retries() -> Iterator[Mutant]:
    """Each Retry with a first interval of 300 s, and each without an attempt."""
    for file, task, body, tests in tasks():
        for number, one in enumerate(body.get("Retry", [])):
            where = f"{task[-1]} Retry {number} ({one['ErrorEquals'][0]})"
            location = (*task, "Retry", number)
            waits = in_json((*location, "IntervalSeconds"), lambda _: 300)
            yield Mutant(f"retry interval of 300 s: {where}", file, waits, tests)
            none = in_json((*location, "MaxAttempts"), lambda _: 0)
            yield Mutant(f"MaxAttempts 0: {where}", file, none, tests)


def timeouts() -> Iterator[Mutant]:
    """Each Task with a timeout, without it."""
    for file, task, body, tests in tasks():
        if "TimeoutSeconds" in body:
            change = in_json((*task, "TimeoutSeconds"), lambda _: 99999999)
            yield Mutant(f"no timeout to speak of: {task[-1]}", file, change, tests)


def sending_states() -> Iterator[Mutant]:
    """SendDelayNotice left out of each list, in any module, of the states that send."""
    for folder in ("functions", "mailstep_cli", "mailstep_local", "tests"):
        for path in sorted((PROJECT / folder).rglob("*.py")):
            if path.parent.name == "mutants":
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
                        constants = [one.value for one in elements if isinstance(one, ast.Constant)]
                        if {"SendDelayNotice", "SendReply"} <= {one for one in constants if isinstance(one, str)}:
                            file = path.relative_to(PROJECT).as_posix()
                            yield Mutant(
                                f"SendDelayNotice left out: {file}, line {node.lineno}",
                                file,
                                partial(_without_delay, line=node.lineno),
                                unit("definition"),
                            )


def _without_delay(text: str, line: int) -> str:
    return "".join(
        re.sub(r'"SendDelayNotice", |, "SendDelayNotice"|^\s+"SendDelayNotice",\n', "", one, count=1)
        if line <= number <= line + 6
        else one
        for number, one in enumerate(text.splitlines(keepends=True), start=1)
    )


def state(name: str, *location: str | int) -> Location:
    return ("States", name, *location)


DEFINITION_BY_HAND = (
    Mutant("the answer of another email is sent", DEFINITION,
           in_json(state("ChooseReply", "Choices", 1, "Condition"), lambda _: "{% $states.input.answer_key != null %}"),
           workflow("not_ours")),
    Mutant("rubbish alerts the operators", DEFINITION,
           in_json(state("ChooseAlert", "Default"), lambda _: "AlertOperators"), workflow("without_an_alert")),
    Mutant("an authenticated sender's unreadable mail alerts nobody", DEFINITION,
           in_json(state("ChooseAlert", "Choices", 0, "Next"), lambda _: "EndInQuarantine"),
           workflow("copied_to_quarantine")),
    Mutant("a sender who cannot be checked alerts nobody", DEFINITION,
           in_json(state("CheckSender", "Catch", 0, "Next"), lambda _: "EndInQuarantine"),
           workflow("cannot_be_checked")),
    Mutant("a withheld answer is sent", DEFINITION,
           in_json(state("ChooseReply", "Choices", 0), removed), workflow("processed_and_no_state_sends")),
    Mutant("any answer is one if the reply is withheld", DEFINITION,
           in_json(state("ChooseReply", "Choices", 0, "Condition"), lambda _: "{% $withheld != null %}"),
           workflow("fails_its_execution_as_any_other")),
    Mutant("the application's refusal is told although the reply is withheld", DEFINITION,
           in_json(state("ChooseRefusal", "Choices", 0, "Condition"), lambda _: "{% $refusal.tell_sender %}"),
           workflow("refusal_of_the_application")),
    Mutant("a delay is told although the reply is withheld", DEFINITION,
           in_json(state("CheckOutage", "Choices", 1, "Condition"),
                   lambda found: found.replace(" or $withheld != null", "")), workflow("without_a_notice")),
    Mutant("the queue does not say that the reply is withheld", DEFINITION,
           in_json(state("QueueEmail", "Arguments", "MessageBody", "withheld"), removed),
           workflow("pulls_knows_whether")),
    Mutant("a message that kills the validation fails its execution", DEFINITION,
           in_json(state("ValidateEmail", "Catch", 1), removed), workflow("kills_the_validation")),
    Mutant("a second answer that is none is told of again, for ever", DEFINITION,
           in_json(state("ChooseReply", "Choices", 4), removed), workflow("second_time")),
    Mutant("nobody who waits hears of a completion", DEFINITION,
           in_json(state("ChooseReply", "Choices", 2), removed), workflow("told_to_wait")),
    Mutant("a silent refusal is told", DEFINITION,
           in_json(state("ChooseRefusal", "Default"), lambda _: "SendRefusal"), workflow("silent_refusal")),
    Mutant("the horizon of an outage is not kept to", DEFINITION,
           in_json(state("CheckOutage", "Choices", 0), removed), workflow("horizon or fails_after_the_quick_tries")),
    Mutant("the sender hears of each wait", DEFINITION,
           in_json(state("SendDelayNotice", "Assign", "told_of_delay"), lambda _: False),
           workflow("one_notice_and_the_answer")),
    Mutant("a failure to send the delay notice ends the execution", DEFINITION,
           in_json(state("SendDelayNotice", "Catch"), removed), unit("definition")),
    Mutant("a refusal of a second try is not caught", DEFINITION,
           in_json(state("ReprocessEmail", "Catch"), removed), unit("definition")),
    Mutant("the answer's key is no answer's", DEFINITION,
           in_json(state("QueueEmail", "Arguments", "MessageBody", "answer_key"),
                   lambda found: found.replace("answers/", "parsed/")), workflow("pulls_answers")),
    Mutant("one order for all senders of the queue", DEFINITION,
           in_json(state("QueueEmail", "Arguments", "MessageGroupId"), lambda _: "all"), workflow("pulls_answers")),
    Mutant("quarantined mail keeps no reason", DEFINITION,
           in_json(state("QuarantineEmail", "Arguments", "Tagging"), removed), workflow("copied_to_quarantine")),
    Mutant("the idempotency key changes with the try", DEFINITION,
           in_json(state("ProcessEmail", "Arguments", "Payload", "idempotency_key"),
                   lambda _: "{% $states.context.State.EnteredTime %}"), workflow("ordinary_message")),
)  # fmt: skip


def in_replay(*location: str | int) -> Location:
    return ("States", "ReplayEach", *location)


def of_item(*location: str | int) -> Location:
    return in_replay("ItemProcessor", "States", *location)


OTHER_DEFINITIONS_BY_HAND = (
    Mutant("later answers: one to a sender who gets no mail is sent", LATER_DEFINITION,
           in_json(state("ChooseLaterAnswer", "Choices", 0, "Next"), lambda _: "SendLaterAnswer"),
           workflow("later_answer")),
    Mutant("later answers: none is sent", LATER_DEFINITION,
           in_json(state("ChooseLaterAnswer", "Default"), lambda _: "WithholdLaterAnswer"), workflow("later_answer")),
    Mutant("later answers: why one is withheld is not said", LATER_DEFINITION,
           in_json(state("WithholdLaterAnswer", "Output", "withheld"), lambda _: None), workflow("later_answer")),
    Mutant("later answers: one that was not sent is a reply", LATER_DEFINITION,
           in_json(state("SendLaterAnswer", "Output", "outcome"), lambda _: "replied"), workflow("later_answer")),
    Mutant("later answers: what is sent is not named", LATER_DEFINITION,
           in_json(state("SendLaterAnswer", "Output", "answer_name"), removed), workflow("later_answer")),
    Mutant("later answers: the answer of the email is sent once more", LATER_DEFINITION,
           in_json(state("SendLaterAnswer", "Arguments", "Payload", "kind"), lambda _: "answer"),
           workflow("later_answer")),
    Mutant("many replays: the first that fails ends all", REPLAY_DEFINITION,
           in_json(in_replay("ToleratedFailurePercentage"), removed), unit("replay_definition")),
    Mutant("many replays: forty at once", REPLAY_DEFINITION,
           in_json(in_replay("MaxConcurrency"), lambda _: 40), unit("replay_definition")),
    Mutant("many replays: no pace", REPLAY_DEFINITION,
           in_json(in_replay("ItemProcessor", "StartAt"), lambda _: "StartReplay"), unit("replay_definition")),
    Mutant("many replays: the first has the number of the email itself", REPLAY_DEFINITION,
           in_json(of_item("KeepPace", "Assign", "number"), lambda _: 1), unit("replay_definition")),
    Mutant("many replays: one that is there already fails", REPLAY_DEFINITION,
           in_json(of_item("StartReplay", "Catch"), removed), unit("replay_definition")),
    Mutant("many replays: one since the batch began is replayed again", REPLAY_DEFINITION,
           in_json(of_item("ChooseNumber", "Choices", 0), removed), unit("replay_definition")),
    Mutant("many replays: one is started beside one that runs", REPLAY_DEFINITION,
           in_json(of_item("ChooseNumber", "Choices", 1), removed), unit("replay_definition")),
    Mutant("many replays: numbers without an end", REPLAY_DEFINITION,
           in_json(of_item("ChooseNumber", "Choices", 2), removed), unit("replay_definition")),
    Mutant("many replays: the same number for ever", REPLAY_DEFINITION,
           in_json(of_item("ChooseNumber", "Assign"), removed), unit("replay_definition")),
    Mutant("many replays: one that runs since before is said to be replayed", REPLAY_DEFINITION,
           in_json(of_item("StartReplay", "Output", "done"), lambda _: "replayed"), unit("replay_definition")),
    Mutant("many replays: the execution starts without its email", REPLAY_DEFINITION,
           in_json(of_item("StartReplay", "Arguments", "Input"), lambda _: "{}"), workflow("replayed_once")),
    Mutant("many replays: the list of another batch is read", REPLAY_DEFINITION,
           in_json(in_replay("ItemReader", "Arguments", "Key"), lambda _: "replays/other.json"),
           workflow("replayed_once")),
)  # fmt: skip


# ---- The templates ----


def conditions() -> Iterator[Mutant]:
    """Each Condition of a policy: the whole, and each key of it."""
    for file in (TEMPLATE, RECEIVING):
        for location, value in walk(parsed(read(file))["Resources"]):
            if location[-1:] == ("Condition",) and "Statement" in location and isinstance(value, dict):
                identity_based = "Policies" in location
                tests = unit("template", "transformed") if identity_based else unit("resource_policies")
                policy = "inline policy" if identity_based else "resource policy"
                name = f"{file} {location[0]} {policy}, statement {location[location.index('Statement') + 1]}"
                keys = [(operator, key) for operator, tested in value.items() for key in tested]
                removals: list[Location] = [(), *keys] if len(keys) > 1 else [()]
                for removal in removals:
                    what = " ".join(map(str, removal)) or "the Condition"
                    change = in_yaml(("Resources", *location, *removal), removed)
                    yield Mutant(f"condition deleted: {name}, {what}", file, change, tests)


def lifecycle_prefixes() -> Iterator[Mutant]:
    """Each prefix of a lifecycle rule: of other objects, and of none."""
    for location, value in walk(parsed(read(TEMPLATE))["Resources"]["MailBucket"]):
        if location[-1:] == ("Prefix",):
            where = ("Resources", "MailBucket", *location)
            for other in ("inbound/" if value == "quarantine/" else "quarantine/", value.replace("/", "s/")):
                change = in_yaml(where, partial(_instead, other))
                yield Mutant(f"lifecycle prefix changed: {value} to {other}", TEMPLATE, change, unit("retention"))
            yield Mutant(f"lifecycle prefix deleted: {value}", TEMPLATE, in_yaml(where, removed), unit("retention"))


def _instead(new: object, _old: object) -> object:
    return new


def watched_dimensions() -> Iterator[Mutant]:
    """Each dimension of each alarm, and of each line of the dashboard."""
    template = parsed(read(TEMPLATE))["Resources"]
    watched = unit("metrics", only="what_is or awss_own")
    for name, resource in template.items():
        for number, one in enumerate(resource.get("Properties", {}).get("Dimensions", [])):
            change = in_yaml(("Resources", name, "Properties", "Dimensions", number), removed)
            yield Mutant(f"dimension dropped: {name} {one['Name']}", TEMPLATE, change, watched)
    location = ("Resources", "Dashboard", "Properties", "DashboardBody", "Fn::Sub")
    body = template["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    for begin, end in _dimensions_of_lines(body):
        line = body.count("\n", 0, begin) + 1
        name = f"dimension dropped: dashboard, line {line}, character {begin}: {body[begin:end].strip(' ,')}"
        yield Mutant(name, TEMPLATE, in_yaml(location, partial(_cut, begin, end)), watched)


def _dimensions_of_lines(body: str) -> Iterator[tuple[int, int]]:
    """Where each dimension of our own metrics stands: `, "name", "value"` of a line, `,name` of a SEARCH."""
    for found in re.finditer(r'(?<=\["Mailstep", )"\w+"((?:, "\w+", "[^"]+")+)', body):
        for pair in re.finditer(r', "\w+", "[^"]+"', found[1]):
            yield found.start(1) + pair.start(), found.start(1) + pair.end()
    for found in re.finditer(r"SEARCH\('\{Mailstep((?:,\w+)+)\}", body):
        for name in re.finditer(r",\w+", found[1]):
            yield found.start(1) + name.start(), found.start(1) + name.end()


def _cut(begin: int, end: int, text: str) -> str:
    return text[:begin] + text[end:]


TEMPLATE_BY_HAND = (
    Mutant("the starter is given up on before the queue hides the record long enough", TEMPLATE,
           in_yaml(("Resources", "InboundQueue", "Properties", "VisibilityTimeout"), lambda _: 30), unit("template")),
    Mutant("one bad record of a batch repeats all", TEMPLATE,
           in_yaml(("Resources", "StartFunction", "Properties", "Events", "Inbound", "Properties",
                    "FunctionResponseTypes"), removed), unit("template_promises")),
    Mutant("what SNS cannot hand to the queue is lost", TEMPLATE,
           in_yaml(("Resources", "InboundSubscription", "Properties", "RedrivePolicy"), removed),
           unit("template_promises")),
    Mutant("what cannot be started is lost", TEMPLATE,
           in_yaml(("Resources", "InboundQueue", "Properties", "RedrivePolicy"), removed),
           unit("template_promises")),
    Mutant("versions of mail are overwritten", TEMPLATE,
           in_yaml(("Resources", "MailBucket", "Properties", "VersioningConfiguration"), removed),
           unit("template_promises")),
    Mutant("the mail goes with the stack", TEMPLATE,
           in_yaml(("Resources", "MailBucket", "DeletionPolicy"), removed), unit("template_promises")),
    Mutant("what was sent is forgotten with the stack", TEMPLATE,
           in_yaml(("Resources", "LedgerTable", "DeletionPolicy"), removed), unit("template_promises")),
    Mutant("records of the ledger never expire", TEMPLATE,
           in_yaml(("Resources", "LedgerTable", "Properties", "TimeToLiveSpecification"), removed),
           unit("template_promises")),
    Mutant("senders stand in the log of the workflow", TEMPLATE,
           in_yaml(("Resources", "EmailWorkflow", "Properties", "Logging", "IncludeExecutionData"), lambda _: True),
           unit("template_promises")),
    Mutant("the bucket may be public", TEMPLATE,
           in_yaml(("Resources", "MailBucket", "Properties", "PublicAccessBlockConfiguration"), removed),
           unit("template_promises")),
    Mutant("the sending identity forwards bounces", TEMPLATE,
           in_yaml(("Resources", "SendingIdentity", "Properties", "FeedbackAttributes"), removed),
           unit("template_promises")),
    Mutant("the receiving identity forwards bounces", RECEIVING,
           in_yaml(("Resources", "DomainIdentity", "Properties", "FeedbackAttributes"), removed),
           unit("template_promises")),
    Mutant("a stopped execution alerts nobody", TEMPLATE,
           in_yaml(("Resources", "ExecutionFailedRule", "Properties", "EventPattern", "detail", "status"),
                   lambda found: found[:1]), unit("template_promises")),
)  # fmt: skip


# ---- The policy ----


RECORDED = "not_authenticated or no_record or another_reply"
_UNAUTHENTICATED = "'unauthenticated' Effect.REFUSE"


def rules() -> Iterator[Mutant]:
    """Each rule that comes after `unauthenticated`, before it."""
    found = [rule for rule, _, _ in _rules(read(POLICY))]
    for rule in found[found.index(_UNAUTHENTICATED) + 1 :]:
        yield Mutant(
            f"rule before unauthenticated: {rule}", POLICY, partial(_moved, rule=rule), unit("policy", only=RECORDED)
        )


def _rules(text: str) -> list[tuple[str, ast.expr, str]]:
    """Code and effect, node and source of each Rule of RULES."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Assign(targets=[ast.Name(id="RULES")], value=ast.Tuple(elts=elements)):
                return [(_named(one), one, ast.get_source_segment(text, one) or "")
                        for one in elements if isinstance(one, ast.Call)]  # fmt: skip
    return []


def _named(rule: ast.Call) -> str:
    return f"{ast.unparse(rule.args[0])} {ast.unparse(rule.args[3])}"


def _moved(text: str, rule: str) -> str:
    found = _rules(text)
    sources = {known: source for known, _, source in found}
    order = [known for known, _, _ in found if known != rule]
    order.insert(order.index(_UNAUTHENTICATED), rule)
    for (_, node, _), known in reversed(list(zip(found, order, strict=True))):
        text = replaced(text, node, sources[known])
    return text


POLICY_BY_HAND = (
    Mutant("a refusal is told although the reply is withheld", POLICY,
           swapped("effect is Effect.TELL and withheld is None", "effect is Effect.TELL"), unit("policy")),
    Mutant("a withheld reply is counted", POLICY,
           swapped("effect is None or (effect is Effect.WITHHOLD and withheld)", "effect is None"), unit("policy")),
    Mutant("a message whose reply is withheld is checked no further", POLICY,
           swapped("            withheld = rule.code\n", "            return rule.code\n"), unit("policy")),
    Mutant("an override lets a message past every rule", POLICY,
           swapped("case.email.override.rule == self.code and ", ""), unit("policy", only="override")),
    Mutant("a rule that cannot be overridden is", POLICY,
           swapped(" and self.override is not Overridden.NEVER", ""), unit("policy", only="override")),
    Mutant("an override replies to an unproven sender", POLICY,
           swapped("Effect.WITHHOLD if self.override is Overridden.WITHHOLD else None", "None"),
           unit("policy", only="override")),
    Mutant("a setting of a route gives no rule another effect", POLICY,
           swapped("            return self.setting.effect\n", "            return self.effect\n"), unit("policy")),
    Mutant("a Date on top makes an old copy young", "functions/mailstep/validate/age.py",
           swapped("*map(parse_date, last)", ""), unit("resent_mail")),
    Mutant("a replay is stale", POLICY, swapped("case.email.replay or received is None", "received is None"),
           unit("policy")),
    Mutant("Auto-Submitted: auto-replied is only withheld", AUTOMATIC_MAIL,
           swapped('    if "auto-replied" in _submitted(message):', "    if False:"), unit("automatic_mail")),
    Mutant("Auto-Submitted: no with a comment is a machine's", AUTOMATIC_MAIL,
           swapped("elif not depth:", "else:"), unit("automatic_mail")),
    Mutant("a list's X-Loop refuses", AUTOMATIC_MAIL,
           swapped('(others if "List-*" in others or "Precedence" in others else responses)', "responses"),
           unit("automatic_mail")),
    Mutant("a report with an envelope sender is answered", AUTOMATIC_MAIL,
           swapped(" or _media_type(message) in _REPORT_TYPES", ""), unit("automatic_mail")),
    Mutant("evidence: SES's block may have bare line ends", SES_BLOCK,
           swapped('        if b"\\r" in line or b"\\n" in line:\n            return None\n', ""), unit("ses_block")),
    Mutant("evidence: more DKIM results than signatures", SES_BLOCK,
           swapped("    if len(dkim) > signatures:", "    if False:"), unit("ses_block")),
    Mutant("evidence: a block may have results below SES's last field", SES_BLOCK,
           swapped(" or name in _BELOW", ""), unit("ses_block")),
    Mutant("evidence: any line may stand among the results", SES_BLOCK,
           swapped("return SesBlock(fields, octets) if all(map(_RESULT.fullmatch, results[1:])) else None",
                   "return SesBlock(fields, octets)"), unit("ses_block")),
    Mutant("evidence: logos and signatures are files", ATTACHED_FILES,
           swapped(" if attachment.attached)", ")"), unit("attached_files")),
    Mutant("evidence: only a virus that was found refuses", ATTACHED_FILES,
           swapped('verdicts.virus == "PASS"', 'verdicts.virus != "FAIL"'), unit("attached_files")),
    Mutant("evidence: archives hide programs", ATTACHED_FILES,
           swapped("contents.programs.get(number, set())", "set()"), unit("attached_files")),
    Mutant("evidence: a dot at the end hides a program", "functions/mailstep/validate/programs.py",
           swapped('[-1]).rstrip(" .").lower()', "[-1]).lower()"), unit("attached_files")),
    Mutant("evidence: the label outvotes the name", "functions/mailstep/media_types.py",
           swapped("(of_name(filename), registered(declared))", "(registered(declared), of_name(filename))"),
           unit("attached_files")),
    Mutant("evidence: an old copy of a signed message is new", POLICY,
           swapped("written(case.message) if is_only_signed(case.message) else None", "None"),
           unit("resent_mail")),
    Mutant("mail from several authors is authenticated by one", "functions/mailstep/authentication.py",
           swapped("len(message.from_) != 1", "len(message.from_) < 1"), unit("policy")),
    Mutant("SPF of any domain vouches", "functions/mailstep/authentication.py",
           swapped("domain and is_aligned(domain, author)", "domain"), unit("policy")),
    Mutant("two names below one public suffix are one organisation", "functions/mailstep/authentication.py",
           swapped("organisational_domain(domain) is not None and ", ""), unit("ses_block")),
    Mutant("the fields of SES count to the size that the sender reads", "functions/mailstep/parse/message.py",
           swapped("len(raw) - (block.octets if block else 0)", "len(raw)"), unit("ses_block")),
)  # fmt: skip


# ---- The texts that senders read ----


CHOOSING, TEXTS_FILES = "functions/mailstep/texts/choosing.py", "functions/mailstep/texts/files.py"
LOOK = "functions/mailstep/reply/look.py"
TEXTS = (
    Mutant("texts: the route's language is ignored", CHOOSING,
           swapped("return setting or of_message(message)", "return of_message(message)"), unit("languages")),
    Mutant("texts: a disclaimer outvotes the sender's own words", CHOOSING,
           swapped("_WORDS = (12, 40, 250)", "_WORDS = (250,)"), unit("languages")),
    Mutant("texts: a text in no language of ours is in the one with most words", CHOOSING,
           swapped("counts[best] >= _LEAD * max(others)", "counts[best]"), unit("languages")),
    Mutant("texts: an own sentence may name what does not exist", TEXTS_FILES,
           swapped("    if unknown:", "    if False:"), unit("texts")),
    Mutant("texts: an own sentence may reach into values", TEXTS_FILES,
           swapped("not name.isidentifier() or specification or conversion", "specification"), unit("texts")),
    Mutant("texts: text in the bar is white on any colour", LOOK,
           swapped("> _AS_LIGHT_AS_DARK", "> 1"), unit("look")),
    Mutant("texts: an answer may be in place of the logo", LOOK,
           swapped('LOGO_ID = "logo~@mailstep"', 'LOGO_ID = "logo@mailstep"'), unit("look")),
    Mutant("texts: a small logo is enlarged", LOOK, swapped("_HEIGHT / height, 1)", "_HEIGHT / height)"), unit("look")),
    Mutant("texts: what is logged after a reply is in its language", "functions/mailstep/texts/speaking.py",
           swapped("        _language.reset(before)\n", "        pass\n"), unit("texts")),
    Mutant("texts: a million takes the plural of a hundred", "functions/mailstep/texts/speaking.py",
           swapped("if count % _MILLION == 0:", "if count == 0:"), unit("texts")),
    Mutant("texts: Spanish groups four digits", "functions/mailstep/texts/speaking.py",
           swapped('digits >= int(_fact("grouped_digits"))', "digits > 3"), unit("texts")),
    Mutant("texts: a language of one's own may lack a sentence", TEXTS_FILES,
           swapped("missing = [] if is_shipped else list(_missing(known, found.sentences))", "missing: list[str] = []"),
           unit("texts")),
    Mutant("texts: an own sentence takes away the other forms", TEXTS_FILES,
           swapped("{**known, **written}", "{**written}"), unit("texts")),
    Mutant("texts: a file of one language that is wrong fails every reply", CHOOSING,
           swapped("except ConfigurationError as error:", "except ZeroDivisionError as error:"), unit("texts")),
    Mutant("texts: the frame of an application's answer is in the sender's language", SEND_ONCE,
           swapped("language = of_text(text_of(answer)) or language", "language = language"), unit("languages")),
    Mutant("texts: an application's answer outvotes the route's language", SEND_ONCE,
           swapped("if not route.language and _is_of", "if _is_of"), unit("languages")),
    Mutant("texts: what a sender quotes tells the language", CHOOSING,
           swapped("message.reply_text or message.text", "message.text"), unit("languages")),
)  # fmt: skip


# ---- Metrics ----


_KINDS = {"dimensions": "dimension", "properties": "property"}


def emitted_dimensions() -> Iterator[Mutant]:
    """Each dimension and each property of each metric."""
    text = read(METRICS)
    for metric in ast.walk(ast.parse(text)):
        match metric:
            case ast.Call(func=ast.Name(id="Metric"), args=[ast.Constant(value=str(name)), *_], keywords=[*given]):
                for keyword in given:
                    assert isinstance(keyword.value, ast.Tuple)
                    assert keyword.arg
                    one = keyword.value
                    for dropped in range(len(one.elts)):
                        what = ast.unparse(one.elts[dropped])
                        yield Mutant(
                            f"{_KINDS[keyword.arg]} dropped: {name}, {what}",
                            METRICS,
                            partial(_without_dimension, line=one.lineno, column=one.col_offset, dropped=dropped),
                            unit("metrics", only="what_is or as_it_is_defined"),
                        )


def _without_dimension(text: str, line: int, column: int, dropped: int) -> str:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Tuple) and (node.lineno, node.col_offset) == (line, column):
            kept = [ast.unparse(one) for number, one in enumerate(node.elts) if number != dropped]
            return replaced(text, node, f"({', '.join(kept)}{',' if kept else ''})")
    return text


# ---- The ledger, keys, the bucket, secrets, sending ----

CONTENT = ("message.route", "message.message_id", "_written(message)", "message.subject",
           "_without_space(message.text)", '_without_space(message.html or "")')  # fmt: skip

DOMAIN_BY_HAND = (
    Mutant("the suppression key has no form of the domain", LEDGER,
           swapped("digest(without_label(address))", "digest(address)"), unit("ledger", "canonical_addresses")),
    Mutant("the suppression key knows labels", LEDGER,
           swapped("digest(without_label(address))", "digest(canonical(address))"), unit("canonical_addresses")),
    Mutant("the suppressed address stands in the key", LEDGER,
           swapped('f"{SUPPRESSED}{digest(without_label(address))}"', 'f"{SUPPRESSED}{address.lower()}"'),
           unit("ledger")),
    Mutant("a record counts after it expired", LEDGER,
           swapped('found and int(found["expiration"]["N"]) > time.time()', "found is not None"),
           unit("ledger")),
    Mutant("a retry is counted as another reply", REPLY_COUNTS,
           swapped("        if this in sent:\n            return _Found.KNOWN\n", ""), unit("reply_counts")),
    Mutant("one reply more than allowed", REPLY_COUNTS,
           swapped("within(_HOUR) <= an_hour", "within(_HOUR) - 1 <= an_hour"), unit("reply_counts")),
    Mutant("a day has no bound", REPLY_COUNTS,
           swapped(" and within(_DAY) <= an_hour * limits.REPLIES_A_DAY", ""), unit("reply_counts")),
    Mutant("the hour is one of the clock", REPLY_COUNTS,
           swapped("abs(at - when) < seconds", "at // seconds == when // seconds"), unit("reply_counts")),
    Mutant("a domain has no bound", REPLY_COUNTS,
           swapped("    if allowed == domains:", "    if domains:"), unit("reply_counts")),
    Mutant("what is refused counts against the domain", REPLY_COUNTS,
           swapped("    _add(domain, when, -1)\n", ""), unit("reply_counts")),
    Mutant("of two at once one is forgotten", REPLY_COUNTS,
           swapped("attribute_not_exists(id) OR version = :seen", "attribute_not_exists(id) OR version >= :seen"),
           unit("reply_counts")),
    Mutant("senders are counted by how they write their address", REPLY_COUNTS,
           swapped("without_label(message.from_[0].address)", "message.from_[0].address"), unit("reply_counts")),
    Mutant("a retry sends what the bound of the domain forbade", REPLY_COUNTS,
           swapped("    for count in counted:\n        _forget(count, message.email_id)\n", ""),
           unit("reply_counts")),
    Mutant("each label has a count of its own", REPLY_COUNTS,
           swapped("without_label(message.from_[0].address)", "message.from_[0].address.lower()"),
           unit("reply_counts")),
    Mutant("index: an event that comes late overwrites a newer one", INDEX_ENTRY,
           swapped("        if before and not execution.is_newer_than(before):\n            return self\n", ""),
           unit("index", only="out_of_order")),
    Mutant("index: a redrive does not count as a start", INDEX_ENTRY,
           swapped("key=lambda one: (one.latest_start, one.arn)", "key=lambda one: (one.started, one.arn)"),
           unit("index", only="redriven_last")),
    Mutant("index: a replay is a time to reply", INDEX_ENTRY,
           swapped(" and not one.replay", ""), unit("index", only="time_to_reply")),
    Mutant("index: of two writers at once one is forgotten", MESSAGE_INDEX,
           swapped("OR revision = :seen", "OR revision >= :seen"), unit("index", only="two_writers")),
    Mutant("index: an expired entry is shown", MESSAGE_INDEX,
           swapped(' or int(item["expiration"]["N"]) <= time.time()', ""), unit("index", only="expires")),
    Mutant("index: all mail of a moment is in one partition", MESSAGE_INDEX,
           swapped("digest()[0] % SHARDS", "digest()[0] % 1"), unit("index", only="spread_over")),
    Mutant("index: a sweep takes what is on its way for lost", GAPS,
           swapped(" if (one.ended or one.started) < settled", ""), unit("index_sweep", only="just_now")),
    Mutant("index: a sweep does not ask about what is running", GAPS,
           swapped("index.newest(By.OUTCOME, RUNNING, until=settled)", "index.newest(By.OUTCOME, '-', until=settled)"),
           unit("index_sweep", only="still_running")),
    Mutant("index: a copy in place moves the time of receipt", INDEX_ENTRY,
           swapped("email.stored if first else self.stored", "email.stored"), unit("index", only="copy_in_place")),
    Mutant("index: the first execution is forgotten", INDEX_ENTRY,
           swapped("[ordered[0], *ordered[1 - EXECUTIONS :]]", "ordered[-EXECUTIONS:]"), unit("index", only="bounded")),
    Mutant("index: feedback has no bound", INDEX_ENTRY,
           swapped("tuple(kept[:FEEDBACK])", "tuple(kept)"), unit("index", only="bounded")),
    Mutant("index: an event that comes twice is two bounces", INDEX_ENTRY,
           swapped("        if feedback in self.feedback:\n            return self\n", ""),
           unit("feedback", only="tied")),
    Mutant("index: the time to reply is that of the last reply", INDEX_ENTRY,
           swapped("(min(ends) - received)", "(max(ends) - received)"), unit("index", only="time_to_reply")),
    Mutant("index: an entry expires with the first execution", MESSAGE_INDEX,
           swapped("max((one.latest_start for one in entry.executions), default=entry.received)", "entry.received"),
           unit("index", only="expires")),
    Mutant("index: keys that DynamoDB left are not asked for again", MESSAGE_INDEX,
           swapped('wanted = answer.get("UnprocessedKeys")', "wanted = None"), unit("index", "index_sweep")),
    Mutant("index: only the first page is read", MESSAGE_INDEX,
           swapped('if "LastEvaluatedKey" not in answer:', "if True:"), unit("index")),
    Mutant("index: a span of time has its end", MESSAGE_INDEX,
           swapped('span[1].removesuffix("Z")', "span[1]"), unit("index", only="span_of_time")),
    Mutant("index: shards are read one after the other", MESSAGE_INDEX,
           swapped(', reverse=True):\n            if entry', "):\n            if entry"),
           unit("index", only="found_by")),
    Mutant("index: an execution that runs has ended", "functions/mailstep/index/status_events.py",
           swapped('found.ended if found.status != "RUNNING" else None', "found.ended or found.started"),
           unit("index")),
    Mutant("index: a sweep overlooks a redrive", GAPS,
           swapped("(known[listed.arn].status, known[listed.arn].redrives) == (listed.status, listed.redrives)",
                   "known[listed.arn].status == listed.status"), unit("index_sweep")),
    Mutant("index: each sweep fetches again what an entry no longer keeps", GAPS,
           swapped("return len(known) >= EXECUTIONS", "return False"), unit("index_sweep")),
    Mutant("index: a sweep without time says that it came to the end", GAPS,
           swapped("return Swept(compared, filled, complete=False)", "return Swept(compared, filled, complete=True)"),
           unit("index_sweep", only="without_time")),
    Mutant("index: a sweep asks about each execution that runs", GAPS,
           swapped("for arn in arns if arn not in still_running)", "for arn in arns)"),
           unit("index_sweep", only="one_by_one")),
    Mutant("thread: a replay forgets what was sent", THREADS,
           swapped("if_not_exists(#email, :email)", ":email"), unit("threads")),
    Mutant("thread: it grows without a bound", THREADS,
           swapped("for old in emails[: -limits.THREAD_EMAILS]:", "for old in emails[:0]:"), unit("threads")),
    Mutant("thread: the answers of an email have no bound", THREADS,
           swapped(" AND size(#email.answers) < :most", " AND :most = :most"), unit("threads")),
    Mutant("thread: an answer that is sent again is there twice", THREADS,
           swapped(" AND NOT contains(#email.answers, :key)", " AND :key = :key"), unit("threads")),
    Mutant("thread: a record counts after it expired", THREADS,
           swapped('found if found and int(found["expiration"]["N"]) > time.time() else None', "found"),
           unit("threads")),
    Mutant("thread: a fault of the record fails a reply that was sent", SEND_ONCE,
           swapped("except (TransientError, ClientError) as error:", "except ZeroDivisionError as error:"),
           unit("sending", only="thread")),
    Mutant("feedback: the address that the other system names is suppressed", SUPPRESSION,
           swapped('_recipient(rest.get("mail"))',
                   '_recipient({"destination": [one["emailAddress"] for one in rest["bounce"]["bouncedRecipients"]]})'),
           unit("feedback")),
    Mutant("feedback: taking mail out of the spam folder suppresses", SUPPRESSION,
           swapped('case {"complaintFeedbackType": "not-spam"}:', 'case {"complaintFeedbackType": "none"}:'),
           unit("feedback")),
    Mutant("feedback: a full mailbox suppresses", SUPPRESSION,
           swapped('case {"bounceType": "Transient" | "Undetermined"}:\n            return 0',
                   'case {"bounceType": "Transient" | "Undetermined"}:\n            return BOUNCE_SECONDS'),
           unit("feedback")),
    Mutant("feedback: the header of a reply names any key", SUPPRESSION,
           swapped("named if re.fullmatch(EMAIL_ID, named) else None", "named"), unit("feedback", only="names")),
    Mutant("white space makes another message", LEDGER,
           swapped("_without_space(message.text)", "message.text"), unit("ledger")),
    Mutant("a retry of an email is a duplicate of itself", LEDGER,
           swapped("OR email_id = :email OR expiration", "OR expiration"), unit("ledger")),
    Mutant("a duplicate is known for ever", LEDGER, swapped(" OR expiration < :now", ""), unit("ledger")),
    Mutant("the second delivery passes while the first is under way", LEDGER,
           swapped("self._has_failed(other) and self._hold", "self._hold"), unit("ledger")),
    Mutant("two deliveries pass once the first has failed", LEDGER,
           swapped('" OR execution_arn = :other"', '" OR attribute_exists(id)"'),
           unit("ledger")),
    *(Mutant(f"duplicates are known without {part}", LEDGER,
             swapped(f"                {part},\n", ""), unit("ledger")) for part in CONTENT),
    Mutant("duplicates are known without the author", LEDGER,
           swapped("                [canonical(address.address) for address in message.from_],\n", ""), unit("ledger")),
    Mutant("duplicates are known without their attachments", LEDGER,
           swapped("                [attachment.sha256 for attachment in message.attachments],\n", ""), unit("ledger")),
    Mutant("attachments are stored as text/html", MAIL_BUCKET,
           swapped('"application/octet-stream"', '"text/html"'), unit("steps", "mail_bucket")),
    Mutant("a raw message is read whole, whatever its size", MAIL_BUCKET,
           swapped("_open_raw(email).read(octets)", "_open_raw(email).read()[:octets]"),
           unit("steps", "mail_bucket", only="mail_bucket or length or large")),
    Mutant("an email whose version is gone is unreadable", MAIL_BUCKET,
           swapped('if error.response["Error"]["Code"] not in _GONE:\n                raise\n', "raise\n"),
           unit("steps", only="version")),
    Mutant("forget_secrets does nothing", SIGNING, swapped("    _provider.cache_clear()\n", "    pass\n"),
           unit("signing")),
    Mutant("nothing forgets the secret that the application rejects", "functions/mailstep/process/application.py",
           swapped("        forget_secrets()\n", ""), unit("application")),
    Mutant("the timestamp is not signed", SIGNING, swapped("timestamp.encode(), body]", "body]"), unit("signing")),
    Mutant("the webhook-id is not signed", SIGNING, swapped("[headers[WEBHOOK_ID].encode(), ", "["), unit("signing")),
    Mutant("a secret of a few octets signs", SIGNING, swapped("range(24, 65)", "range(1, 65)"), unit("signing")),
    Mutant("an application that drips holds the function", EXCHANGE, swapped("with Budget(seconds):", "with Budget():"),
           unit("exchange", only="drips")),
    Mutant("an answer is read although it was cut off", EXCHANGE,
           swapped("while len(content) <= at_most and (piece := answer.read(min(_PIECE, at_most + 1 - len(content)))):"
                   "\n            content += piece", "content += answer.read(at_most + 1)"),
           unit("exchange", only="cut_off")),
    Mutant("a compressed answer is read", EXCHANGE, swapped('not in {"", "identity"}', 'in {"none"}'),
           unit("exchange", only="compressed")),
    Mutant("an answer may be compressed", EXCHANGE,
           swapped('"Accept-Encoding": "identity"', '"Accept-Encoding": "gzip"'), unit("exchange", only="one_post")),
    Mutant("a redirect is followed", EXCHANGE, swapped("retries=False", "retries=3"),
           unit("exchange", only="redirect")),
    Mutant("control characters stay in the request", REQUEST, swapped('_CONTROLS.sub("", value)', "value"),
           unit("request")),
    Mutant("the request may be larger than a Lambda takes", LIMITS, swapped("= 6_000_000", "= 7_000_000"),
           unit("request", only="larger")),
    Mutant("the request is cut without a word", REQUEST, swapped(", Defect.REQUEST_TRUNCATED}", "}"),
           unit("request", only="larger")),
    Mutant("quotes count once in the event of a Lambda", REQUEST,
           swapped("""len(body) + body.count(b'"') + body.count(b"\\\\")""", "len(body)"),
           unit("request", only="larger")),
    Mutant("a file is made of what is not Base64", "functions/mailstep/contracts.py", swapped(", validate=True)", ")"),
           unit("answers", only="base64")),
    Mutant("an answer may be empty", "functions/mailstep/contracts.py",
           swapped("if not self.text.strip() and not", "if False and not"), unit("answers", only="204")),
    Mutant("an unknown field's name is logged as it is", ANSWERS,
           swapped("name if _NAME.fullmatch(name) else \"?\"", "name"), unit("answers", only="unknown")),
    Mutant("another spelling replaces the exact one", ANSWERS,
           swapped("(meant == name or meant not in written)", "True"), unit("answers", only="spelling")),
    Mutant("an unusable secret is kept for five minutes", SIGNING,
           swapped("    forget_secrets()\n    return Conf", "    return Conf"), unit("signing")),
    Mutant("only the newest secret signs", SIGNING,
           swapped("[current] if previous is None else [current, previous]", "[current]"), unit("signing")),
    Mutant("an attachment's key is its neighbour's", KEYS, swapped("/attachments/{number}", "/attachments/1"),
           unit("mail_bucket")),
    Mutant("a thread is shared by all who name it", THREADS,
           swapped("{message.route} {sender} {message.thread_id}", "{message.route} {message.thread_id}"),
           unit("threads")),
    Mutant("Reply-To of a stranger is written to", "functions/mailstep/addressee.py",
           swapped("(is_aligned(there, here) and ", "(True and "), unit("addressee")),
    Mutant("a macro sheet of Excel 4.0 passes", "functions/mailstep/validate/macros.py",
           swapped("{1, 6}", "{6}"), unit("macros")),
    Mutant("a document in an archive is known by its name only", "functions/mailstep/validate/archives.py",
           swapped("first.startswith(COMPOUND_FILE_SIGNATURE) or ", ""), unit("macros")),
    Mutant("a member of an archive is no program by its octets", "functions/mailstep/validate/contents.py",
           swapped('programs.of_type(detected(member.first) or "")', "None"), unit("file_signatures")),
    Mutant("only the names that an archive lists count", "functions/mailstep/validate/archives.py",
           swapped("    yield from map(Member, _names(content))\n", ""), unit("hidden_members")),
    Mutant("an archive in front of another one is not seen", "functions/mailstep/validate/archives.py",
           swapped("_IN_A_ROW = 3 ", "_IN_A_ROW = 1 "), unit("hidden_members")),
    Mutant("what somebody put into a document is no program", "functions/mailstep/validate/packages.py",
           swapped("found.union(*map(_types, packages))", "found"), unit("packages")),
    Mutant("a document that is a text has no macros", "functions/mailstep/validate/macros.py",
           swapped("_IN_TEXT.search(content.replace(b\"\\0\", b\"\")) is not None", "False"), unit("macros")),
    Mutant("an archive in an archive is known by its name only", "functions/mailstep/validate/archives.py",
           swapped(" or first.startswith(_LOCAL_HEADER)", ""), unit("macros")),
    Mutant("an encrypted workbook hides its macro sheet", "functions/mailstep/validate/macros.py",
           swapped(" or _begins_macro_sheet(*_record(stream, int.from_bytes(value[:4], \"little\")))", ""),
           unit("macros")),
    Mutant("what a winmail.dat shows counts as attached", "functions/mailstep/parse/attachment_parts.py",
           swapped("if inline and is_picture(", "if False and is_picture("), unit("tnef")),
    Mutant("Reply-To of another user of the same mail provider is written to", "functions/mailstep/addressee.py",
           swapped(" and not is_public_provider(here)", ""), unit("addressee")),
    Mutant("Reply-To uses up the bound of the mailbox that it names", REPLY_COUNTS,
           swapped("bounds[reply_to_count_id(message.route, mailbox)]", "bounds[count_id(message.route, mailbox)]"),
           unit("reply_counts")),
    Mutant("a copy for the catch-all route is listed as an email", "mailstep_cli/messages.py",
           swapped("return entry.reason == OTHER_ROUTE", "return False"), unit("messages")),
    Mutant("an import that the functions lack is not looked for", "mailstep_cli/bundled.py",
           swapped("top in known or", "True or"), unit("bundled")),
    Mutant("a reply that another route sends counts", POLICY,
           swapped("    case.records.forget_reply(case.message, case.addressee)\n", ""), unit("two_routes")),
    Mutant("all later answers of an email are one", "functions/mailstep/contracts.py",
           swapped('f"{email.email_id}/{self.later_answer.name}#{self.kind}"', 'f"{email.email_id}#{self.kind}"'),
           unit("later_answers")),
    Mutant("a later answer goes to a suppressed address", "functions/mailstep/validate/later_answers.py",
           swapped("    withheld = policy.withheld_from(", "    withheld = None and policy.withheld_from("),
           unit("later_answers")),
    Mutant("the override of a replay is forgotten for later answers", "functions/mailstep/validate/later_answers.py",
           swapped(", ledger.overridden(message.email_id))", ")"), unit("later_answers")),
    Mutant("the catch-all route answers what another route got", POLICY,
           swapped("if name in case.other_routes else None", "if False else None"), unit("policy")),
    Mutant("two emails share an answer", KEYS, swapped('f"{ANSWERS}{email_id}.json"', 'f"{ANSWERS}answer.json"'),
           unit("steps", "definition")),
    Mutant("another version is another email", "functions/mailstep/start/identity.py",
           swapped("_name(parts[2], bucket, key)", '_name(parts[2], bucket, f"{key} {version_id}")'), unit("identity")),
    Mutant("a withheld reply is sent", SEND_ONCE,
           swapped("    if request.is_withheld:\n", "    if False:\n"), unit("steps", only="withholds")),
    Mutant("a reply goes to an unauthenticated sender", SEND_ONCE,
           swapped("not is_authenticated(message) or (", "("), unit("steps", only="unauthenticated_sender")),
    Mutant("a completion goes to a sender who was not told to wait", SEND_ONCE,
           swapped("ledger.has_notice(email_id))", "False)"), unit("steps", only="completion")),
    Mutant("a reply is sent again with each execution", SEND_ONCE,
           swapped('reply_key=request.reply_key, request=request', 'reply_key=str(datetime.now(UTC)), request=request'),
           unit("steps", only="sends_nothing or sent_once")),
    Mutant("replies come from outside the domain", SEND_ONCE,
           swapped("sender.domain.lower() != domain.domain.lower()", "False"),
           unit("steps", only="outside_the_domain")),
    Mutant("a reply does not say that it is automatic", COMPOSE,
           swapped('    reply["Auto-Submitted"] = "auto-replied"\n', ""), unit("replying")),
    Mutant("a reply invites automatic answers", COMPOSE,
           swapped('    reply["X-Auto-Response-Suppress"] = "All"\n', ""), unit("replying")),
    Mutant("a reply of ours is not known when it comes back", COMPOSE,
           swapped('    reply[EMAIL_ID_FIELD] = message.email_id\n', ""), unit("replying")),
    Mutant("a reply stands outside its thread", COMPOSE,
           swapped('    yield "In-Reply-To", identifier\n', ""), unit("replying")),
    Mutant("the HTML of an answer is trusted", COMPOSE,
           swapped("sanitise(html, frozenset(pictures))", "(html, frozenset(pictures))"),
           unit("replying", "sanitising")),
    Mutant("an SVG is shown", COMPOSE,
           swapped('        and attachment.media_type != "image/svg+xml"\n', ""), unit("replying")),
    Mutant("boto3 sends again what SES may have taken", SES,
           swapped('retries={"total_max_attempts": 1}', 'retries={"total_max_attempts": 3}'),
           unit("steps", only="sent_again_at_once")),
    Mutant("what SES may have taken is a transient fault", SES,
           swapped("(ReadTimeoutError, ConnectionClosedError)", "(ZeroDivisionError,)"),
           unit("steps", only="sent_again_at_once")),
    Mutant("HTTP 429 is no throttle", "functions/mailstep/aws/clients.py",
           swapped(" or status == 429", ""), unit("steps", only="faults")),
)  # fmt: skip

MUTANTS = (
    *TEXTS,
    *error_names(),
    *retries(),
    *timeouts(),
    *sending_states(),
    *DEFINITION_BY_HAND,
    *OTHER_DEFINITIONS_BY_HAND,
    *conditions(),
    *lifecycle_prefixes(),
    *watched_dimensions(),
    *TEMPLATE_BY_HAND,
    *rules(),
    *POLICY_BY_HAND,
    *emitted_dimensions(),
    *DOMAIN_BY_HAND,
    *constants(),
    *limits(),
    *told(),
)
