"""routes.toml: what is right is read, what is wrong is named with what to do.

Over 300 lines, most of which are cases.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from samcli.cli.types import CfnParameterOverridesType

from mailstep import custom
from mailstep.errors import ConfigurationError
from mailstep.routes import catch_all, load, read
from mailstep.toml_text import file_text
from mailstep_cli import checkout
from mailstep_cli.commands import deployment
from mailstep_cli.errors import UserError
from mailstep_cli.local_application import check_application
from mailstep_local import example as local_example
from mailstep_local.account import Account
from tests.support.command import typed
from tests.support.project import PROJECT, TEMPLATE

QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/app.fifo"
SHIPPED = PROJECT / "functions" / "routes.toml"
ENVIRONMENT = {
    "APPLICATION_URL": "https://app.example/mail",
    "APPLICATION_AUTH": "standard_webhooks",
    "APPLICATION_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:app",  # pragma: allowlist secret
    "APPLICATION_LIMIT_HOURS": "24",
    "APPLICATION_QUEUE_URL": QUEUE,
}


def test_the_shipped_routes_are_valid_without_an_application() -> None:
    routes = load(SHIPPED.read_text(), ENVIRONMENT)
    assert (routes["application"].url, routes["application"].auth) == ("https://app.example/mail", "standard_webhooks")
    assert routes["tickets"].queue.endswith("app.fifo")
    unset = ENVIRONMENT | {"APPLICATION_URL": "", "APPLICATION_AUTH": "none", "APPLICATION_SECRET_ARN": ""}
    assert load(SHIPPED.read_text(), unset)["application"].processor == "receipt"


def test_every_variable_of_the_shipped_routes_is_one_of_the_functions() -> None:
    declared = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    named = re.findall(r"\$\{(\w+)\}", SHIPPED.read_text())
    assert named
    assert {name for name in named if name != "NAME"} <= declared.keys()


def test_a_variable_cannot_change_the_files_shape() -> None:
    shape = '"\n[routes.evil]\nreply_name = "x'
    found = read('[routes.a]\nreply_name = "${U}"\n[routes.b]', {"U": shape})
    assert (set(found), set(found.faults)) == ({"b"}, {"a"})


@pytest.mark.parametrize("name", ["Cash $ Carry", "$", "100 $$", "${", "$NAME", "${}", "${NO-NAME}"])
def test_a_dollar_is_itself_where_it_begins_no_variable(name: str) -> None:
    assert load(f'[routes.a]\nreply_name = "{name}"', {"NAME": "x"})["a"].reply_name == name


def test_each_variable_is_filled_in_beside_other_dollars() -> None:
    assert load('[routes.a]\nreply_name = "$ ${A}$${B}"', {"A": "one", "B": "$"})["a"].reply_name == "$ one$$"


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ('[routes.a]\nurl = "${MISSING}"', "line 2: .*MISSING.* is not set: set it in template.yaml"),
        ('# ${X}\n[routes.a]\n# ${X}\nurl = "${X}"', "line 4: .*X.* is not set"),
        ("[routes.a\n", "line 1: not TOML: "),
        ("[routes.a]\nurl = '", "line 2: not TOML: "),
        ("[routes.a]\nmax_size_octets = " + "9" * 5000, "not TOML: "),
        ("", "no route: add one"),
        ("[route.a]\n[routes.b]", r"line 1: route: not known: a route is a table \[routes.<name>\]"),
        ("[routes.a]\n\nprocesor = 'x'", "line 3: routes.a.procesor: there is no such setting; .*processor"),
        ("[routes.b]\n[routes.a]\nmax_size_octets = 0", "line 3: routes.a.max_size_octets: .*more than 0"),
        ("[routes.a]\noutage_hours = 73", "line 2: routes.a.outage_hours: write at most 72"),
        ("[routes.a]\noutage_hours = nan", "line 2: routes.a.outage_hours: .*finite"),
        (
            "[routes.a]\nurl = 'https://a.example/'\nauth = 'standard_webhooks'",
            "line 3: routes.a.auth: standard_webhooks needs secret",
        ),
        ("[routes.a]\nsecret = 'hunter2'", "line 2: .*not the secret itself"),  # pragma: allowlist secret
        ("[routes.a]\nsecret = 'arn:aws:iam::1:role/x'", "line 2: .*ARN of a secret"),  # pragma: allowlist secret
        ("[routes.a]\nauth = 'basic'", "line 2: routes.a.auth: .*'sigv4'"),
        ("[routes.a]\nqueue = 'https://sqs.example/q'", "line 2: routes.a.queue: .*FIFO"),
        ("[routes.a]\nqueue = 'app.fifo'", "line 2: routes.a.queue: begin it with https://"),
        ("[routes.a]\nqueue = 'https://sqs.example/app.fifo'", "line 2: routes.a.queue: .*<account>/<name>.fifo"),
        (f"[routes.a]\nqueue = '{QUEUE}?a=.fifo'", "line 2: routes.a.queue: .*<account>/<name>.fifo"),
        (f"[routes.a]\nqueue = '{QUEUE}'\nurl = 'https://a.example/'", "line 2: routes.a.queue: name one of them"),
        (f"[routes.a]\nqueue = '{QUEUE}'\nlimit_hours = 1\nheartbeat_seconds = 3600", "line 4: .*below limit_hours"),
        (f"[routes.a]\nqueue = '{QUEUE}'\nlimit_hours = 0.0001", "line 3: .*some seconds at least"),
        ("[routes.a]\n[routes.A_b]", "line 2: .*'A_b' cannot name a route: use 1 to 40 of a-z"),
        ("[routes.a]\n[routes.'b..c']", "line 2: .*no two dots in a row"),
        ("[routes.'.a']", "line 1: .*'.a' cannot name a route"),
        ("[routes.a_]", "line 1: .*'a_' cannot name a route"),
        # A logical id of CloudFormation has only letters and digits.
        ("[routes.ab]\n[routes.a-b]", "line 2: .*nothing but hyphens"),
        ("[routes.a_b]\n[routes.'a.b']", "line 2: .*nothing but hyphens, underscores and dots"),
        # A dotted name without its quotes is a table within a table.
        ("[routes.first.last]", r'line 1: routes.first.last: .*write \[routes."first.last"\]'),
        (
            "[routes.a]\ncatch_all = true\n[routes.b]\ncatch_all = true",
            "line 4: routes.b.catch_all: 'a' is the catch-all",
        ),
        ("[routes]\na = 1", "line 2: routes.a: write it as a table"),
        ("routes.b.auth = 'none'\nroutes.a.auth = 'x'", "line 2: routes.a.auth: "),
        ("[routes]\na = { auth = 'x' }", "line 2: routes.a.auth: "),
        ("[routes.a]\nreply_name = 'a\\nb'\nreply_from = 'a'", "line 3: routes.a.reply_from: write one address"),
        ('[routes.a]\nreply_name = "a\\r\\nBcc: b"', "line 2: routes.a.reply_name: write it on one line"),
        ("[routes.a]\nallowed_senders = ['a@b.example', '']", "line 2: routes.a.allowed_senders: .*empty pattern"),
        ("[routes.a]\nprocessor = ''", "line 2: routes.a.processor: name one"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, remedy: str) -> None:
    with pytest.raises(ConfigurationError, match=remedy):
        load(text, {})


@pytest.mark.parametrize("name", ["first.last", "a_b", "x", "a.b-c_d.2", "r" * 40])
def test_a_name_that_is_a_local_part_of_letters_digits_and_punctuation_is_a_route(name: str) -> None:
    found = read(f'[routes."{name}"]\nmax_attachments = 0\n[routes.other]', {})
    assert found.faults == {}
    assert found[name].max_attachments == 0


def test_of_two_catch_all_routes_the_first_works_on() -> None:
    found = read("[routes.a]\ncatch_all = true\n[routes.b]\ncatch_all = true\n[routes.c]", {})
    assert (set(found), set(found.faults)) == ({"a", "c"}, {"b"})
    assert catch_all("[routes.c]\n[routes.a]\ncatch_all = true\nprocessor = 3") == "a"
    assert catch_all("[routes.c]\ncatch_all = false") is None


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("http://shop.example/", "begin it with https://"),
        ("http://127.0.0.1.evil.example/", "begin it with https://"),
        ("http://localhost:x@elsewhere/", "remove everything before the @"),
        ("http://localhost@elsewhere.example/", "remove everything before the @"),
        ("https://user:word@shop.example/", "remove everything before the @"),  # pragma: allowlist secret
        ("https://@shop.example/", "remove everything before the @"),
        ("http://localhost\\@elsewhere.example/", "backslashes"),
        ("https://shop.example/a b", "spaces"),
        (" https://shop.example/", "spaces"),
        ("https://shop.example/\t", "control characters"),
        ("https://shop.example:99999/", "port"),
        ("https://shop.example:0/", "port"),
        ("https://shop.example:port/", "port"),
        ("https://", "host"),
        ("https:///mail", "host"),
        ("https://./", "host"),
        ("https://shop..example/", "host"),
        ("https://%73hop.example/", "host"),
        ("https://[::1/", "host"),
        ("https://999.1.1.1/", "host"),
        ("shop.example/mail", "begin it with https://"),
        ("ftp://shop.example/", "begin it with https://"),
        ("file:///etc/passwd", "begin it with https://"),
        ("https://shop.example/#mail", "never sent"),
    ],
)
def test_a_url_that_no_call_can_be_made_to_is_refused(url: str, remedy: str) -> None:
    with pytest.raises(ConfigurationError, match=f"line 2: routes.a.url: .*{remedy}"):
        load(f"[routes.a]\nurl = {json.dumps(url)}", {})


@pytest.mark.parametrize(
    ("url", "called"),
    [
        ("https://app.example/mail?x=1", "https://app.example/mail?x=1"),
        ("https://app.example:8443", "https://app.example:8443"),
        ("https://bücher.example/mail", "https://xn--bcher-kva.example/mail"),
        ("http://127.0.0.1:8000/mail", "http://127.0.0.1:8000/mail"),
        ("http://localhost/mail", "http://localhost/mail"),
        ("http://[::1]:8000/mail", "http://[::1]:8000/mail"),
        ("https://10.0.0.7/mail", "https://10.0.0.7/mail"),
        ("", ""),
    ],
)
def test_a_url_is_called_in_one_form(url: str, called: str) -> None:
    assert load(f"[routes.a]\nurl = {json.dumps(url)}", {})["a"].url == called


@pytest.mark.parametrize(
    ("setting", "pattern", "remedy"),
    [
        ("allowed_senders", "shop.example", r"write \*@shop.example"),
        ("allowed_senders", "@shop.example", r"write \*@shop.example"),
        ("blocked_senders", ".shop.example", r"write \*@\*.shop.example"),
        ("blocked_senders", "bücher.example", r"write \*@xn--bcher-kva.example"),
        ("allowed_senders", "Ann <ann@shop.example>", "write each address alone"),
        ("allowed_senders", "ann@shop.example, bob@shop.example", "write each address alone"),
        ("allowed_senders", "mailto:ann@shop.example", "write each address alone"),
        ("allowed_senders", "ann@", "write it as ann@shop.example"),
        ("allowed_senders", "ann@bob@shop.example", "write it as ann@shop.example"),
        ("allowed_senders", "*@shop..example", "write it as ann@shop.example"),
        ("allowed_senders", "*@shop.example.", "write it as ann@shop.example"),
        ("allowed_senders", "*@bü*.example", "wildcard"),
        ("attachment_types", ".csv", "write text/csv"),
        ("attachment_types", "*.csv", "write text/csv"),
        ("attachment_types", "csv", "write text/csv"),
        ("attachment_types", ".PDF", "write application/pdf"),
        ("attachment_types", "image", r"write image/\*"),
        ("attachment_types", "text/csv; charset=utf-8", "write text/csv"),
        ("attachment_types", "text / csv", "write "),
        ("attachment_types", "text/", "write "),
    ],
)
def test_a_pattern_that_matches_nothing_is_refused_with_a_suggestion(setting: str, pattern: str, remedy: str) -> None:
    text = f"[routes.a]\n{setting} = [\n  '*@fine.example',\n  '{pattern}',\n]"
    if setting == "attachment_types":
        text = text.replace("*@fine.example", "text/plain")
    with pytest.raises(ConfigurationError, match=f"^routes.toml, line 4: routes.a.{setting}: .*{remedy}") as raised:
        load(text, {})
    # Errors are logged, and an address is somebody's.
    assert "ann@shop.example" not in str(raised.value).replace("as ann@shop.example", "")


def test_a_variable_that_is_empty_makes_a_pattern_that_nothing_matches() -> None:
    assert load('[routes.a]\nblocked_senders = ["${BLOCKED}"]', {"BLOCKED": ""})["a"].blocked_senders == ("",)


@pytest.mark.parametrize(
    "domain", ["bücher.example", "BÜCHER.example", "xn--bcher-kva.example", "XN--BCHER-KVA.example"]
)
@pytest.mark.parametrize("address", ["Orders@bücher.example", "Orders@xn--bcher-kva.example", "Orders@Bücher.Example"])
def test_reply_from_is_at_the_domain_in_either_form(domain: str, address: str) -> None:
    for text, stacks in ((f"reply_from = '{address}'", ""), ("", address)):
        found = load(f"[routes.a]\n{text}", {"DOMAIN": domain, "REPLY_FROM": stacks})
        assert found["a"].reply_from == "Orders@xn--bcher-kva.example"


@pytest.mark.parametrize("address", ["a@elsewhere.example", "a@sub.mail.example", "a@mail.example.evil.example"])
def test_reply_from_outside_the_domain_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"line 2: routes.a.reply_from: .*write an address at mail.example"):
        load(f"[routes.a]\nreply_from = '{address}'", {"DOMAIN": "mail.example"})
    with pytest.raises(
        ConfigurationError, match=r"line 1: routes.a.reply_from: .*'a' .*parameter ReplyFrom: .*at mail.example"
    ):
        load("[routes.a]", {"DOMAIN": "mail.example", "REPLY_FROM": address})
    assert load(f"[routes.a]\nreply_from = '{address}'", {})["a"].reply_from == address


@pytest.mark.parametrize(
    "address", ["orders", "@mail.example", "a b@mail.example", "örder@mail.example", "a@b@c", "a@"]
)
def test_reply_from_is_an_address_also_where_the_domain_is_unknown(address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"line 2: routes.a.reply_from: write one address"):
        load(f"[routes.a]\nreply_from = '{address}'", {})


def test_a_fault_of_one_route_is_raised_for_that_route_alone() -> None:
    found = read("[routes.a]\n[routes.b]\nurl = 'x'\n[routes.c]", {})
    assert (list(found), found["a"].processor) == (["a", "c"], "receipt")
    assert found.get("nonsense") is None
    with pytest.raises(ConfigurationError, match=r"^routes.toml, line 3: routes.b.url: begin it with https://"):
        found.get("b")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[routes.a]\nreply_name = 'B\xfcro'\n", "routes.toml, line 2: not UTF-8: save the file in that encoding"),
        ("[routes.a]\n".encode("utf-16"), "routes.toml, line 1: not UTF-8"),
        (None, "routes.toml cannot be read: No such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(content: bytes | None, says: str, tmp_path: Path) -> None:
    path = tmp_path / "routes.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=says):
        file_text(path)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "routes.toml"
    path.write_bytes("[routes.a]\nreply_name = 'Büro'\n".encode("utf-8-sig"))
    assert load(file_text(path), {})["a"].reply_name == "Büro"


PROCESSORS = {
    "no_function": "process = 1",
    "raises": "raise RuntimeError('no licence')",
    "exits": "raise SystemExit(3)",
    "lacks": "import no_such_package",
    "broken": "def process(:",
}


@pytest.fixture
def routes_file(tmp_path: Path) -> Iterator[Path]:
    """A routes.toml beside processors of its own."""
    there = tmp_path / "processors"
    there.mkdir(parents=True)
    for name, source in PROCESSORS.items():
        (there / f"{name}.py").write_text(source)
    before = list(custom.PROCESSORS)
    yield tmp_path / "routes.toml"
    custom.PROCESSORS[:] = before


@pytest.mark.parametrize(
    ("name", "says"),
    [
        *((name, "processor") for name in ("../x", "a.b", "__init__", "tables.py", "/etc/passwd", "tables ", "words")),
        ("no_function", "no function `process`"),
        ("raises", "RuntimeError: no licence"),
        ("exits", "SystemExit"),
        ("lacks", "no_such_package"),
        ("broken", "SyntaxError"),
    ],
)
def test_a_processor_that_cannot_process_is_refused(routes_file: Path, name: str, says: str) -> None:
    routes_file.write_text(f"[routes.a]\nprocessor = {json.dumps(name)}\n")
    with pytest.raises(UserError, match=f"^{re.escape(str(routes_file))}, line 2: routes.a.processor: .*{says}"):
        deployment.check_routes(routes_file)


@pytest.mark.parametrize("url", ["https://app.example/mail", "${APPLICATION_URL}"])
def test_an_application_without_a_route_is_noted(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "routes.toml"
    file.write_text(f'[routes.application]\nurl = "{url}"\n[routes.orders]\n')
    monkeypatch.setattr(checkout, "routes_file", lambda: file)
    for endpoint, example in (("", True), ("http://127.0.0.1:8000/mail", False)):
        assert check_application(endpoint, "", example=example) == endpoint
        said = capsys.readouterr().err
        assert (str(file) in said) == (url != "${APPLICATION_URL}")
    check_application("", "", example=False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("url", "secret", "example", "says"),
    [
        ("http://app.example/mail", "", False, "--application-url: begin it with https://"),
        ("127.0.0.1:8000", "", False, "--application-url: begin it with https://"),
        ("http://127.0.0.1:8000/", "", True, "give one of them"),
        ("http://127.0.0.1:8000/", "a secret in words", False, "--application-secret: .*whsec_"),
    ],
)
def test_an_application_that_cannot_be_called_is_refused_before_anything_starts(
    url: str, secret: str, example: bool, says: str
) -> None:
    with pytest.raises(UserError, match=says):
        check_application(url, secret, example=example)


def test_the_url_of_an_application_reaches_the_stack_with_its_query() -> None:
    """SAM splits --parameter-overrides itself."""
    url = "http://127.0.0.1:8000/mail?key=a&x=%20b"
    checked = check_application(url, "", example=False)
    parameters = local_example.parameters(Account.new("http://127.0.0.1:1"), checked, "")
    given = tuple(f"{name}={value}" for name, value in parameters.items())
    assert CfnParameterOverridesType().convert(given, None, None) == {"ApplicationUrl": url}


def test_the_command_shows_the_routes_and_every_fault_in_a_line_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    file.write_text('[routes.a]\nurl = "${APPLICATION_URL}"\n')
    shown = typed("routes", str(file), "--domain", "bücher.example")
    assert "inbound/a/" in shown.stdout
    assert f"Read from {file}; receiving.yaml takes them as Routes=a\n" in shown.stdout
    assert typed("routes", str(file), "--names").stdout == "a\n"
    assert "Domain=xn--bcher-kva.example" in shown.stdout
    file.write_text("[routes.a]\nurls = 'x'\nreply_from = 'a@b.example'\n[routes.b]\nprocessor = '../x'\n")
    wrong = typed("routes", str(file), "--domain", "bücher.example")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert [line.split(":")[1:3] for line in wrong.stderr.splitlines()] == [
        [f" {file}, line 2", " routes.a.urls"],
        [f" {file}, line 5", " routes.b.processor"],
    ]
    file.write_text("[routes.a]\nreply_from = 'a@b.example'\n")
    assert "line 2: routes.a.reply_from" in typed("routes", str(file), "--domain", "bücher.example").stderr
    assert typed("routes", str(file)).returncode == 0
    assert "is not a domain" in typed("routes", str(file), "--domain", "a b").stderr


@pytest.mark.parametrize(
    ("template", "says"),
    [
        (b"Hello\n{% if %}", "line 2: Expected an expression"),
        (b"Hello {{ name }", "line 1: unexpected '}'"),
        ("Grüße".encode("cp1252"), "not UTF-8: save it as UTF-8"),
    ],
)
def test_a_template_that_cannot_be_read_is_refused(tmp_path: Path, template: bytes, says: str) -> None:
    for name in ("template.yaml", "functions/routes.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)
    (tmp_path / "functions" / "mailstep").mkdir()
    # Its texts are read too.
    texts = tmp_path / "functions" / "custom" / "texts" / "de.toml"
    texts.parent.mkdir(parents=True)
    texts.write_text('[reply]\nsignatur = "Gesendet"\n')
    own = tmp_path / "functions" / "custom" / "templates" / "reply.txt.j2"
    own.parent.mkdir(parents=True)
    own.write_bytes(template)
    shown = typed("routes", str(tmp_path / "functions" / "routes.toml"), "--domain", "shop.example")
    assert (shown.returncode, shown.stdout) == (2, "")
    assert says in shown.stderr
    assert str(own) in shown.stderr
    assert f"{texts}, line 2: reply.signatur: there is no such sentence" in shown.stderr


@pytest.mark.parametrize(
    "overrides",
    ['"Domain=shop.example Routes=a"', '["Domain=shop.example", 3]', "3", "true", '{ Domain = "shop.example" }'],
)
def test_samconfig_may_hold_anything(tmp_path: Path, overrides: str) -> None:
    for name in ("template.yaml", "functions/routes.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)
    (tmp_path / "functions" / "mailstep").mkdir()
    (tmp_path / "samconfig.toml").write_text(f"[default.deploy.parameters]\nparameter_overrides = {overrides}\n")
    shown = typed("routes", str(tmp_path / "functions" / "routes.toml"))
    assert shown.returncode == 0, shown.stderr


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("url = 5", 'write a text in quotes, as "..."'),
        ('outage_hours = "long"', "write a number"),
        ("outage_hours = 1000", "write at most 72"),
        ("max_age_hours = 0", "write more than 0"),
        ("heartbeat_seconds = -1", "write at least 0"),
        ("replies_an_hour = 20.5", "write a whole number"),
        ('allowed_senders = "x@y.example"', 'write a list, as ["..."]'),
        ("attachment_types = [1]", 'write a text in quotes, as "..."'),
        ('unscanned = "maybe"', "write 'refuse' or 'process'"),
        ('read_enclosed = "perhaps"', "write true or false"),
    ],
)
def test_a_setting_of_a_wrong_kind_is_told_in_the_words_of_toml(setting: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(f"[routes.a]\n{setting}\n", {})
    assert str(refused.value) == f"routes.toml, line 2: routes.a.{setting.partition(' ')[0]}: {says}"
