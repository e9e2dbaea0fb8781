"""Every fault of `make mutants` still applies: one that does not would count as noticed by mistake."""

import re
from collections import Counter

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.code import equivalents, makes_no_difference
from tests.mutants.edits import DoesNotApply, Mutant, swapped
from tests.support.project import PROJECT


@pytest.mark.parametrize("file", sorted({mutant.file for mutant in MUTANTS}))
def test_every_mutant_applies(file: str) -> None:
    for mutant in MUTANTS:
        if mutant.file == file:
            mutant.applied()


def test_every_mutant_has_a_name_of_its_own_and_tests_that_are_there() -> None:
    assert [name for name, number in Counter(mutant.name for mutant in MUTANTS).items() if number > 1] == []
    named = {part for mutant in MUTANTS for part in mutant.tests if part.startswith("tests/")}
    assert [part for part in named if not (PROJECT / part).exists()] == []


def test_every_word_by_which_a_mutant_chooses_its_tests_chooses_some() -> None:
    names = "\n".join(path.read_text() for path in (PROJECT / "tests").rglob("test_*.py"))
    tests = "\n".join(re.findall(r"^def (test_\w+)", names, re.MULTILINE))
    expressions = {
        arguments[arguments.index("-k") + 1] for arguments in (m.tests for m in MUTANTS) if "-k" in arguments
    }
    words = {word for one in expressions for word in re.split(r"\s+(?:or|and|not)\s+|^not\s+", one) if word}
    assert [word for word in sorted(words) if word not in tests] == []


@pytest.mark.parametrize(
    "kind",
    ["error name misspelt", "condition deleted", "lifecycle prefix changed", "rule before unauthenticated",
     "dimension dropped: dashboard", "dimension dropped: ReplyLatencyAlarm", "dimension dropped: RepliesSent",
     "property dropped: TimeToReply",
     "retry interval of 300 s", "the suppression key has no form of the domain",
     "attachments are stored as text/html", "forget_secrets does nothing", "SendDelayNotice left out"],
)  # fmt: skip
def test_every_kind_of_fault_that_we_promise_to_notice_has_mutants(kind: str) -> None:
    assert [mutant for mutant in MUTANTS if re.match(kind, mutant.name)]


def test_every_fault_that_is_listed_as_equivalent_is_one_of_the_code_as_it_is() -> None:
    """A reason for a line that has changed since could excuse another fault."""
    gone = []
    for function, change in equivalents():
        module, _, name = function.rpartition(".")
        lines = [line.strip() for line in (PROJECT / f"functions/mailstep/{module.replace('.', '/')}.py").open()]
        before = [line[2:] for line in change.splitlines() if line.startswith("- ")]
        there = any(lines[at : at + len(before)] == before for at in range(len(lines)))
        # mutmut writes `x_name` for a function, and `xǁClassǁname` for a method.
        defined = "def " + (name.rpartition("ǁ")[2] if "ǁ" in name else name.removeprefix("x_")) + "("
        if not there or not any(line.startswith(defined) for line in lines):
            gone.append((function, change))
    assert gone == []


def test_a_mutant_that_changes_nothing_does_not_apply() -> None:
    for change in (lambda text: text, swapped("no such text", "x"), swapped("e", "x")):
        with pytest.raises(DoesNotApply):
            Mutant("x", "README.md", change, ()).applied()


def chosen() -> set[tuple[str, str]]:
    """Each choice of tests by a part of their names: the file or folder, and the part."""
    return {
        (mutant.tests[0], part)
        for mutant in MUTANTS
        if "-k" in mutant.tests
        for part in mutant.tests[mutant.tests.index("-k") + 1].split(" or ")
    }


@pytest.mark.parametrize(("place", "part"), sorted(chosen()))
def test_a_fault_names_tests_that_exist(place: str, part: str) -> None:
    files = [PROJECT / place] if place.endswith(".py") else (PROJECT / place).glob("test_*.py")
    assert any(part in path.read_text() for path in files)


@pytest.mark.parametrize(
    ("now", "same"),
    [
        ('if message.header("x-loop") == "Yes":', True),
        ('if message.header("X-LOOP") == "Yes":', True),
        ('if message.header("Y-Loop") == "Yes":', False),
        ('if message.header("X-Loop") == "YES":', False),
        ('if message.header("X-Loop") != "Yes":', False),
    ],
)
def test_only_the_name_of_a_field_may_be_in_another_case(now: str, same: bool) -> None:
    assert makes_no_difference(f'- if message.header("X-Loop") == "Yes":\n+ {now}') is same


@pytest.mark.parametrize(
    ("now", "same"), [("set email = :email or id = :id", True), ("SET EMAIL = :EMAIL OR ID = :ID", False)]
)
def test_only_the_keywords_of_an_expression_may_be_in_another_case(now: str, same: bool) -> None:
    assert makes_no_difference(f'- "SET email = :email OR id = :id"\n+ "{now}"') is same


@pytest.mark.parametrize(
    ("now", "same"), [('lines = cast("XXReaderXX", lines)', True), ('lines = cast("Reader", None)', False)]
)
def test_only_the_type_of_a_cast_may_be_another_one(now: str, same: bool) -> None:
    assert makes_no_difference(f'- lines = cast("Reader", lines)\n+ {now}') is same
