"""What we patch is checked before anything runs on it; what a patch decides by itself is decided as AWS does."""

from types import ModuleType

import pytest

from mailstep_local.patches import IncompatibleMiniStack, _replace, with_from_field


def test_what_is_gone_or_has_changed_is_refused() -> None:
    module = ModuleType("newer")
    module.changed = lambda a, b: (a, b)  # type: ignore[attr-defined]
    with pytest.raises(IncompatibleMiniStack, match=r"newer\.gone"):
        _replace(module, "gone", [], lambda: None)
    with pytest.raises(IncompatibleMiniStack, match=r"newer\.changed"):
        _replace(module, "changed", ["a"], lambda _a: None)
    with pytest.raises(IncompatibleMiniStack):
        _replace(module, "changed", ["b", "a"], lambda _b, _a: None)


def test_what_is_as_it_was_is_replaced() -> None:
    module = ModuleType("same")
    module.kept = lambda a: a  # type: ignore[attr-defined]
    _replace(module, "kept", ["a"], lambda a: a + 1)
    assert module.kept(1) == 2


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
