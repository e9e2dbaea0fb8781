"""One attachment that fails does not take the reply from the others; what is not its fault passes through."""

from collections.abc import Callable

import pytest
from samcli.yamlhelper import yaml_parse

from mailstep import limits
from mailstep.contracts import Attachment, Message
from mailstep.errors import ConfigurationError, TransientError
from mailstep.process.each_attachment import UnreadableAttachment, work_on_each
from mailstep.telemetry import logger
from tests.support.project import PROJECT

PRIVATE = "ann@shop.example"


def message(*names: str) -> Message:
    made = (Attachment(filename=n, media_type="text/csv", size_octets=1, sha256="", key=n) for n in names)
    return Message(email_id="m", route="r", size_octets=1, attachments=tuple(made))


def work(attachment: Attachment, content: bytes) -> int:
    if attachment.filename == "bad.csv":
        raise UnreadableAttachment("It is upside down; please turn it.")
    return len(content)


def test_each_attachment_has_its_result_or_its_sentence_in_the_order_of_the_message() -> None:
    worked = work_on_each(message("a.csv", "bad.csv", "b.csv", "c.txt"), lambda _: b"abc", work, only=is_csv)
    assert [(one.attachment.filename, one.result, one.problem) for one in worked] == [
        ("a.csv", 3, None),
        ("bad.csv", None, "It is upside down; please turn it."),
        ("b.csv", 3, None),
        ("c.txt", None, None),
    ]


def is_csv(attachment: Attachment) -> bool:
    return attachment.filename.endswith(".csv")


@pytest.mark.parametrize(
    ("error", "sentence", "named"),
    [
        (ValueError(PRIVATE), "save it again", "ValueError"),
        (KeyError(PRIVATE), "save it again", "KeyError"),
        (RecursionError(PRIVATE), "save it again", "RecursionError"),
        (MemoryError(), "smaller parts", "memory"),
        (TimeoutError(PRIVATE), "smaller parts", "TimeoutError"),
    ],
)
def test_an_unforeseen_error_concerns_one_attachment_and_only_its_class_is_logged(
    error: Exception, sentence: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[object] = []
    monkeypatch.setattr(logger, "error", lambda *told, **more: logged.append((told, more)))

    def fails(attachment: Attachment, content: bytes) -> int:
        if attachment.filename == "bad.csv":
            raise error
        return len(content)

    good, bad = work_on_each(message("a.csv", "bad.csv"), lambda _: b"abc", fails)
    assert (good.result, good.problem, bad.result) == (3, None, None)
    assert sentence in (bad.problem or "")
    assert PRIVATE not in (bad.problem or "")
    assert named in str(logged)
    assert PRIVATE not in str(logged)


@pytest.mark.parametrize("error", [TransientError("S3"), ConfigurationError("routes.toml"), OSError("no permission")])
def test_an_error_before_the_work_is_not_a_problem_of_the_attachment(error: Exception) -> None:
    def open_attachment(_attachment: Attachment) -> bytes:
        raise error

    with pytest.raises(type(error)):
        work_on_each(message("a.csv"), open_attachment, work)


@pytest.mark.parametrize("error", [TransientError("a service"), ConfigurationError("a setting")])
def test_our_own_errors_in_the_work_are_for_the_workflow(error: Exception) -> None:
    def fails(_attachment: Attachment, _content: bytes) -> int:
        raise error

    with pytest.raises(type(error)):
        work_on_each(message("a.csv"), lambda _: b"", fails)


def loops(_attachment: Attachment) -> int:
    while True:
        pass


def swells(_attachment: Attachment) -> int:
    held = []
    while True:
        held.append(bytearray(10_000_000))


@pytest.mark.parametrize(("hurt", "seconds"), [(loops, 1), (swells, 60)])
def test_an_attachment_that_takes_too_much_time_or_memory_is_one_sentence(
    hurt: Callable[[Attachment], int], seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ATTACHMENTS_SECONDS", seconds)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "384")

    def works(attachment: Attachment, content: bytes) -> int:
        return hurt(attachment) if attachment.filename == "bad.csv" else len(content)

    worked = work_on_each(message("a.csv", "bad.csv", "b.csv"), lambda _: b"abc", works)
    assert [one.result for one in worked] == [3, None, 3]
    assert "smaller parts" in (worked[1].problem or "")


def test_all_attachments_leave_process_function_time_to_store_the_answer() -> None:
    timeout = yaml_parse((PROJECT / "template.yaml").read_text())["Resources"]["ProcessFunction"]["Properties"][
        "Timeout"
    ]
    assert timeout * 2 / 3 >= limits.ATTACHMENTS_SECONDS


def test_many_slow_attachments_leave_the_results_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ATTACHMENTS_SECONDS", 0.5)
    names = ["quick.csv", *(f"slow-{number}.csv" for number in range(40)), "text.txt"]

    def slow(attachment: Attachment, content: bytes) -> int:
        return loops(attachment) if attachment.filename.startswith("slow") else len(content)

    worked = work_on_each(message(*names), lambda _: b"abc", slow, only=is_csv)
    assert [one.attachment.filename for one in worked] == names
    assert worked[0].result == 3
    assert all(one.problem and "smaller parts" in one.problem for one in worked[1:-1])
    assert (worked[-1].result, worked[-1].problem) == (None, None)
