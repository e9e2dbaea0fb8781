"""Faults in the constants of the trust code, which mutmut leaves alone: an entry missing, a number too large."""

import ast
from collections.abc import Iterator
from functools import partial

from tests.mutants.code import files
from tests.mutants.edits import Mutant, replaced
from tests.support.project import PROJECT

POLICY = "functions/mailstep/validate/policy.py"
LIMITS = "functions/mailstep/limits.py"
_CHOSEN = "the value is a choice; that it is kept to has tests of its own"
EQUIVALENT = {
    "_BLOCK_OCTETS": "SES writes about 2,000; any number well above that will do",
    "ADDED_OCTETS": "SES adds about 2,200; any number well above that will do",
    "REPLAYABLE_SECONDS": "the record has to outlive a replay, which it does by ten days",
    "_PIECE": "in pieces of any size the content is the same",
    "_END_OF_CHAIN": "no file is so large that it has a sector of either number",
    "_NUMBER": "the table is read somewhat further: for sectors that the file does not have",
    "_CONTENT_TYPES_OCTETS": _CHOSEN,
    "_STREAMS": _CHOSEN,
    "_PACKED_PIECE": "in pieces of any size the content is the same",
    "_NAME_OCTETS": "no program's name has so long an end",
    "_NAME": "no program's name has so long an end",
    "_FIRST_OCTETS": "some hundred octets tell what a member is",
    "_BLOCK": "a block of BZIP2 has at most 900,000 octets",
    "_OFFICE without '.zip'": "an archive by its name is looked into before that is asked",
    "_OFFICE without '.jar'": "it is a program by its name, whatever is in it",
    "_OFFICE without '.apk'": "it is a program by its name, whatever is in it",
    "FIRST_OCTETS": "some thousand octets tell what a library can tell",
    "_RECORDS": _CHOSEN,
    "_PACKAGES": _CHOSEN,
    "_OCTETS": _CHOSEN,
    "_CONNECT_SECONDS": _CHOSEN,
    "_EXPLANATION_BOUND": _CHOSEN,
    "_SHORTEST": "no key or hash has a quarter of either, and no attachment's texts are as short",
    "_LZMA_MEMORY": "what zipfile itself writes asks for 8 MB, and an attack for gigabytes",
    "_REMOVED_WHOLE without 'template'": "an HTML parser keeps the content of a template apart from the text",
    "REPLY_TEXT": _CHOSEN,
    "ANSWER_OCTETS": _CHOSEN,
    "ARCHIVE_OCTETS": _CHOSEN,
    "REPLIES_A_DAY": _CHOSEN,
    "REPLIES_BY_REPLY_TO": _CHOSEN,
    "REPLIES_TO_A_DOMAIN": _CHOSEN,
    "HTML_DEPTH": _CHOSEN,
    "THREAD_ANSWERS": _CHOSEN,
    "THREAD_EMAILS": _CHOSEN,
    "ARCHIVE_MEMBERS": _CHOSEN,
}
"""Constants whose number may be another one, and entries that may be missing, with the reason."""


def constants() -> Iterator[Mutant]:
    """Each entry of each collection left out, and each number one more."""
    for module, tests in files().items():
        file = f"functions/mailstep/{module}.py"
        for name, value in _assigned(file):
            if name != "RULES":
                yield from _entries(file, name, value, _unit(tests))
                for number in ast.walk(value):
                    if isinstance(number, ast.Constant) and type(number.value) is int:
                        yield _number(file, name, number, number.value + 1, _unit(tests))


def limits() -> Iterator[Mutant]:
    """Each limit of the service ten times as large."""
    for name, value in _assigned(LIMITS):
        # A limit that is another module's number has its faults there.
        for number in [one for one in ast.walk(value) if isinstance(one, ast.Constant)][:1]:
            yield _number(LIMITS, name, number, 10 * ast.literal_eval(number), _unit(["limits"]))


def told() -> Iterator[Mutant]:
    """Each rule with each of the other effects."""
    for name, value in _assigned(POLICY):
        for rule in ast.walk(value) if name == "RULES" else ():
            match rule:
                case ast.Call(args=[code, _, _, ast.Attribute(value=ast.Name(id="Effect"), attr=effect) as node, *_]):
                    for other in {"TELL", "REFUSE", "WITHHOLD"} - {effect}:
                        yield Mutant(
                            f"{other} instead of {effect}: {ast.unparse(code)}",
                            POLICY,
                            partial(replaced, node=node, new=f"Effect.{other}"),
                            _unit(["policy"]),
                        )


def _unit(modules: list[str]) -> tuple[str, ...]:
    return tuple(f"tests/unit/test_{module}.py" for module in modules)


def _assigned(file: str) -> Iterator[tuple[str, ast.expr]]:
    """The names of the module with their values."""
    for statement in ast.parse((PROJECT / file).read_text()).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value


def _entries(file: str, name: str, value: ast.expr, tests: tuple[str, ...]) -> Iterator[Mutant]:
    for collection in ast.walk(value):
        if isinstance(collection, ast.Set | ast.Tuple | ast.List):
            for number, entry in enumerate(collection.elts):
                # The `...` of a type is no entry.
                if isinstance(entry, ast.Constant) and entry.value is not ...:
                    without = type(collection)([one for one in collection.elts if one is not entry])
                    what = f"{name} without {entry.value!r}"
                    yield Mutant(
                        f"{what} ({file}, line {entry.lineno}, {number})",
                        file,
                        partial(replaced, node=collection, new=ast.unparse(without)),
                        tests,
                        EQUIVALENT.get(what, ""),
                    )


def _number(file: str, name: str, node: ast.Constant, new: int, tests: tuple[str, ...]) -> Mutant:
    return Mutant(
        f"{name} with {new} ({file}, line {node.lineno}, {node.col_offset})",
        file,
        partial(replaced, node=node, new=str(new)),
        tests,
        EQUIVALENT.get(name, ""),
    )
