"""MiniStack is what our patches expect, or it does not start; what a patch decides by itself is decided as AWS does.

Over 300 lines, because each patch has its test here.
"""

import ast
import json
import os
import re
import socket
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from queue import Queue
from types import ModuleType
from typing import Any

import pytest

from mailstep_local.account import Account
from mailstep_local.ministack_names import IncompatibleMiniStack, Names
from mailstep_local.patches import log_lines
from mailstep_local.patches.access import owner
from mailstep_local.patches.ses_sending import with_from_field
from tests.support.project import PROJECT

MODULES = sorted((PROJECT / "mailstep_local").rglob("*.py"))
# As a name of MiniStack is declared, and as MINISTACK.original and MINISTACK.replace take it.
DECLARED = re.compile(r"(?:app|core\.\w+|services\.[\w.]+):[\w.]+")

# In a process of its own: MiniStack cannot be unpatched.
APPLY = """
import json, sys
from pathlib import Path
from mailstep_local import patches
from mailstep_local.ministack_names import IncompatibleMiniStack, Names, _resolve

def complaint(name):
    try:
        patches.apply(bootstrap=Path("bootstrap"), run=Path("run"), smtp_port=25)
    except IncompatibleMiniStack as error:
        return str(error)

complaints = {}
for user in patches.USERS:
    for name in user.MINISTACK.declared:
        module, _, attribute = name.partition(":")
        *inner, last = attribute.split(".")
        parent = _resolve(f"{module}:{'.'.join(inner)}")
        found = getattr(parent, last)
        delattr(parent, last)
        complaints[name] = complaint(name)
        setattr(parent, last, found)
        if user.MINISTACK.declared[name] is not None:
            setattr(parent, last, lambda changed_parameters: None)
            complaints[f"{name} with other parameters"] = complaint(name)
            setattr(parent, last, found)
json.dump({"complaints": complaints, "as pinned": complaint("")}, sys.stdout)
"""


def run_patched(program: str) -> Any:
    """What a program that patches MiniStack prints, as JSON."""
    account = Account.new("http://127.0.0.1:4566")
    variables = {
        "AWS_ENDPOINT_URL": account.endpoint,
        "AWS_ACCESS_KEY_ID": account.access_key_id,
        "AWS_SECRET_ACCESS_KEY": account.secret_access_key,
        "AWS_REGION": account.region,
    }
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | variables,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(ran.stdout)


def test_all_patches_apply_to_the_pinned_version_and_to_none_that_lacks_or_changed_a_name() -> None:
    found = run_patched(APPLY)
    assert found["as pinned"] is None
    assert len(found["complaints"]) > 50
    for name, complaint in found["complaints"].items():
        assert complaint is not None, name
        assert name.removesuffix(" with other parameters") in complaint


def is_module(package: str, name: str) -> bool:
    try:
        return find_spec(f"{package}.{name}") is not None
    except ModuleNotFoundError:  # `package` is a module itself
        return False


def below_ministack(module: str) -> str:
    return module.removeprefix("ministack.")


def names_used(module: ast.Module) -> set[str]:
    """Every attribute of MiniStack's modules that a module of ours uses, public or private, in the declared form."""
    modules: dict[str, str] = {}
    used = set()
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "ministack":
            package = node.module or ""
            for alias in node.names:
                if is_module(package, alias.name):
                    modules[alias.asname or alias.name] = below_ministack(f"{package}.{alias.name}")
                else:
                    used.add(f"{below_ministack(package)}:{alias.name}")
    tables = {id(key) for node in ast.walk(module) if isinstance(node, ast.Dict) for key in node.keys}
    for node in ast.walk(module):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in modules:
                used.add(f"{modules[name]}:{attribute}")
            case ast.Constant(value=str(text)) if DECLARED.fullmatch(text) and id(node) not in tables:
                used.add(text)
    return used


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PROJECT / "mailstep_local").as_posix())
def test_every_name_of_ministack_that_we_use_is_declared_and_no_other(path: Path) -> None:
    used = names_used(ast.parse(path.read_text()))
    if path.name == "emulator.py":
        assert used == {"app:main"}, "the start itself; an ImportError says so"
        return
    if not used:
        return
    dotted = ".".join(path.relative_to(PROJECT).with_suffix("").parts)
    module = import_module(dotted)
    assert used == module.MINISTACK.declared.keys()
    assert dotted in {user.__name__ for user in import_module("mailstep_local.patches").USERS}


def test_ministack_is_imported_by_names_that_the_search_above_sees() -> None:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert not any(alias.name.partition(".")[0] == "ministack" for alias in node.names), path


def test_the_speed_of_waits_that_the_cloud_tests_change_is_still_there() -> None:
    Names({"services.stepfunctions:_SFN_WAIT_SCALE": None}).check()


def newer(monkeypatch: pytest.MonkeyPatch, **functions: object) -> ModuleType:
    """A module `newer` of MiniStack."""
    module = ModuleType("ministack.newer")
    for name, function in functions.items():
        setattr(module, name, function)
    monkeypatch.setitem(sys.modules, "ministack.newer", module)
    return module


def test_a_name_that_is_gone_or_takes_other_parameters_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    newer(monkeypatch, changed=lambda a, b: (a, b))
    with pytest.raises(IncompatibleMiniStack, match="newer:gone"):
        Names({"newer:gone": None}).check()
    with pytest.raises(IncompatibleMiniStack, match="newest:gone"):
        Names({"newest:gone": None}).check()
    with pytest.raises(IncompatibleMiniStack, match="newer:changed"):
        Names({"newer:changed": "a"}).check()
    with pytest.raises(IncompatibleMiniStack):
        Names({"newer:changed": "b, a"}).check()


def test_a_declared_function_is_replaced_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    module = newer(monkeypatch, kept=lambda a: a, other=lambda a: a)
    names = Names({"newer:kept": "a"})
    names.check()
    assert names.original("newer:kept")(1) == 1
    names.replace("newer:kept", lambda a: a + 1)
    assert module.kept(1) == 2
    for undeclared in (lambda: names.original("newer:other"), lambda: names.replace("newer:other", lambda _a: None)):
        with pytest.raises(KeyError):
            undeclared()


@pytest.mark.parametrize(
    "field",
    [b"From: Orders <orders@mailstep.example>", b"FROM :\r\n =?utf-8?q?Orders?=\r\n\t<orders@mailstep.example>"],
)
def test_from_email_address_replaces_the_from_field_of_a_raw_message(field: bytes) -> None:
    raw = b"Subject: x\r\n" + field + b"\r\nTo: ann@shop.example\r\n\r\nFrom: the body is not touched\r\n"
    sent = b"Subject: x\r\nFrom: o@mailstep.example\r\nTo: ann@shop.example\r\n\r\nFrom: the body is not touched\r\n"
    assert with_from_field(raw, "o@mailstep.example") == sent
    assert with_from_field(raw, None) == raw
    named = "=?utf-8?q?B=C3=BCcher?= <o@mailstep.example>"
    assert with_from_field(raw, named) == sent.replace(b"o@mailstep.example", named.encode())


def test_a_raw_message_without_a_from_field_gets_one() -> None:
    assert (
        with_from_field(b"Subject: x\r\n\r\nx", "o@mailstep.example")
        == b"From: o@mailstep.example\r\nSubject: x\r\n\r\nx"
    )


WAITS = """
import json, sys
from pathlib import Path
from queue import Queue
from mailstep_local import patches
from ministack.core.lambda_runtime import ProvidedWorker
from ministack.services import stepfunctions
patches.apply(bootstrap=Path("bootstrap"), run=Path("run"), smtp_port=25)
worker = ProvidedWorker("f", {}, b"")
json.dump({
    "sleeps": [each for each in stepfunctions._run_execution.__code__.co_consts if isinstance(each, float)],
    "nagle": not worker._build_handler_class(0, Queue()).disable_nagle_algorithm,
}, sys.stdout)
"""


def test_no_execution_sleeps_before_it_starts_and_no_event_waits_for_an_acknowledgement() -> None:
    assert run_patched(WAITS) == {"sleeps": [], "nagle": False}


def test_the_lines_in_a_functions_pipe_are_read_without_waiting_for_more() -> None:
    lines: Queue[str] = Queue()
    with subprocess.Popen(["/bin/sh", "-c", "echo one; printf two"], stdout=subprocess.PIPE) as process:
        process.wait()
        assert process.stdout
        output = log_lines.Output(process.stdout, lines)
        output.take()
        assert list(lines.queue) == ["one"]
        output.follow()
        assert list(lines.queue) == ["one", "two"], "a line without its end, too"
        output.take()


def test_a_function_that_writes_very_much_loses_its_oldest_lines_only() -> None:
    lines: Queue[str] = Queue(maxsize=2)
    with subprocess.Popen(["/bin/sh", "-c", "echo one; echo two; echo three"], stdout=subprocess.PIPE) as process:
        assert process.stdout
        log_lines.Output(process.stdout, lines).follow()
    assert list(lines.queue) == ["two", "three"]


def test_the_owner_of_a_connection_is_known() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert owner(client.getsockname(), server.getsockname()) == os.getuid()
        assert owner(server.getsockname(), server.getsockname()) is None


LISTS = """
import json, sys
from pathlib import Path
from mailstep_local import patches
from ministack.services import eventbridge, ses, ses_v2
patches.apply(bootstrap=Path("bootstrap"), run=Path("run"), smtp_port=25)
lists = (eventbridge._events_log_list, ses._sent_emails_list, ses_v2._sent_emails_list)
for number in range(3000):
    for entries in lists:
        entries().append(number)
json.dump([[len(entries()), entries()[-1]] for entries in lists], sys.stdout)
"""


def test_the_lists_of_what_happened_do_not_grow_for_ever() -> None:
    assert run_patched(LISTS) == [[1000, 2999]] * 3


ALARMS = """
import json, sys
from pathlib import Path
from mailstep_local import patches
from mailstep_local.patches import alarms
from ministack.services import cloudwatch, cloudwatch_logs
patches.apply(bootstrap=Path("bootstrap"), run=Path("run"), smtp_port=25)

def alarm(name, metric, periods=1, **changes):
    return {
        "AlarmName": name, "Namespace": "Mailstep", "MetricName": metric, "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": periods, "Threshold": 0, "ComparisonOperator": "GreaterThanThreshold",
        "Dimensions": [{"Name": "service", "Value": "mailstep"}], "TreatMissingData": "notBreaching",
        "StateValue": "INSUFFICIENT_DATA", "StateReason": "", **changes,
    }

def point(now, value, service="mailstep"):
    return {"Timestamp": now, "Value": value, "Unit": "Count", "Dimensions": {"service": service}}

cloudwatch._metrics[("Mailstep", "Failures", ())] = [point(100, 1)]
cloudwatch._metrics[("Mailstep", "Others", ())] = [point(100, 1, service="another")]
cloudwatch._metrics[("Mailstep", "Zeros", ())] = [point(100, 0)]
def states(given, *times):
    found = []
    for now in times:
        alarms._evaluate(given, now)
        found.append(given["StateValue"])
    return found

line = {"_aws": {"CloudWatchMetrics": [{"Namespace": "N", "Dimensions": [["service"]],
        "Metrics": [{"Name": "M", "Unit": "Count"}]}]}, "service": "s", "M": [1.0, 2.0]}
stream = {"events": [], "firstEventTimestamp": None, "lastEventTimestamp": None}
cloudwatch_logs._append_log_events(stream, [
    {"timestamp": 1, "message": json.dumps(line), "ingestionTime": 1},
    {"timestamp": 2, "message": '{"_aws": "no metric"}', "ingestionTime": 2},
])
points = [p for (namespace, _, _), ps in cloudwatch._metrics.items() if namespace == "N" for p in ps]
logged = [[p["Value"], p["Dimensions"]] for p in points]
json.dump({
    "rings for a minute": states(alarm("a", "Failures"), 101, 159, 161),
    "another stack": states(alarm("b", "Others"), 101),
    "not over": states(alarm("c", "Zeros"), 101),
    "once of three": states(alarm("d", "Failures", periods=3), 101),
    "kept": states(alarm("e", "Failures", TreatMissingData="ignore"), 101, 900),
    "logged": logged,
}, sys.stdout)
"""


def test_an_alarm_rings_for_its_own_dimensions_and_ends_when_its_periods_are_over() -> None:
    """Amazon CloudWatch User Guide, "Using Amazon CloudWatch alarms": evaluation, and missing data."""
    assert run_patched(ALARMS) == {
        "rings for a minute": ["ALARM", "ALARM", "OK"],
        "another stack": ["OK"],
        "not over": ["OK"],
        "once of three": ["OK"],
        "kept": ["ALARM", "ALARM"],
        "logged": [[1.0, {"service": "s"}], [2.0, {"service": "s"}]],
    }
