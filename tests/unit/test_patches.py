"""A MiniStack that no longer has what we patch is said so, loudly, before anything runs on it."""

from types import ModuleType

import pytest

from mailstep_local.patches import IncompatibleMiniStack, _replace


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
