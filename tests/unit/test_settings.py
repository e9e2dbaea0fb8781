"""The functions' environment: what is missing is one clear error, and template.yaml sets what each function reads."""

import ast
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import grimp
import pytest

from mailstep import settings
from mailstep.errors import ConfigurationError
from tests.support.project import FUNCTIONS, PROJECT, TEMPLATE

GLOBALS: dict[str, Any] = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
SOURCE = PROJECT / "functions" / "mailstep"
# Set in template.yaml, and read by others than our code.
READ_BY_LIBRARIES = {
    "AWS_ENDPOINT_URL": "AWS SDKs and Tools Reference Guide, Service-specific endpoints",
    "POWERTOOLS_SERVICE_NAME": "Powertools for AWS Lambda (Python), Environment variables",
}
# AWS Lambda Developer Guide, "Defined runtime environment variables".
SET_BY_LAMBDA = {"AWS_REGION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "LD_LIBRARY_PATH"}


def own(function: str) -> set[str]:
    """The variables that template.yaml sets for this function and not for all."""
    return set(FUNCTIONS[function].get("Environment", {}).get("Variables", {}))


def of_routes() -> set[str]:
    shipped = tomllib.loads((PROJECT / "functions" / "routes.toml").read_text())
    return set(re.findall(r"\$\{(\w+)\}", json.dumps(shipped)))


def aliases(model: type[settings.Settings]) -> set[str]:
    return {field.alias or "" for field in model.model_fields.values()}


def reads(module: Path) -> set[str]:
    """The names of the settings that a module reads, as `settings.<name>.read()`."""
    return {
        node.func.value.attr
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "read"
        and isinstance(node.func.value, ast.Attribute)
        and isinstance(node.func.value.value, ast.Name)
        and node.func.value.value.id == "settings"
    }


GRAPH = grimp.build_graph("mailstep")


def source_of(module: str) -> Path:
    path = SOURCE.parent / Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def reached(function: str) -> dict[str, set[str]]:
    """What the modules below a function's handler read, as they import each other."""
    handler = FUNCTIONS[function]["Handler"].rpartition(".")[0]
    below = GRAPH.find_upstream_modules(handler) | {handler}
    return {module: found for module in below if (found := reads(source_of(module)))}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_checks_at_its_start_every_variable_that_its_code_reads(function: str) -> None:
    handler = FUNCTIONS[function]["Handler"].rpartition(".")[0]
    found = reached(function)
    checked = found.pop(handler, set())
    read = {variable for names in found.values() for name in names for variable in aliases(getattr(settings, name))}
    if not read:
        assert not checked
        return
    # By the class of its own name, which has everything that is read below, and nothing that is not.
    assert checked == {function}
    used_here = {
        node.attr for node in ast.walk(ast.parse(source_of(handler).read_text())) if isinstance(node, ast.Attribute)
    }
    fields = getattr(settings, function).model_fields
    read |= {field.alias for name, field in fields.items() if name in used_here}
    assert aliases(getattr(settings, function)) == read


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_variable_that_a_function_reads_is_set_for_it(function: str) -> None:
    model = getattr(settings, function, None)
    read = aliases(model) if model else set()
    assert read <= own(function) | GLOBALS.keys() | SET_BY_LAMBDA
    assert of_routes() <= GLOBALS.keys()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_variable_of_its_own_is_read_by_the_function(function: str) -> None:
    model = getattr(settings, function, None)
    assert own(function) <= (aliases(model) if model else set())


def test_every_global_variable_is_read_by_a_function_by_routes_or_by_a_library() -> None:
    models = [getattr(settings, function) for function in FUNCTIONS if hasattr(settings, function)]
    assert GLOBALS.keys() == of_routes() | READ_BY_LIBRARIES.keys() | (
        GLOBALS.keys() & {variable for model in models for variable in aliases(model)}
    )


def test_an_error_names_the_place_where_the_variable_is_set() -> None:
    for model in settings.Settings.__subclasses__():
        for field in model.model_fields.values():
            assert field.alias
            in_functions = [function for function in FUNCTIONS if field.alias in own(function)]
            places = ["Globals"] if field.alias in GLOBALS else in_functions
            expected = f"template.yaml, {', '.join(places)}" if places else "AWS Lambda"
            assert field.title == expected, field.alias


SOUND = {
    "POWERTOOLS_SERVICE_NAME": "mailstep",
    "DOMAIN": "mail.example",
    "REPLY_FROM": "",
    "TABLE_NAME": "mailstep-ledger",
    "INDEX_TABLE_NAME": "mailstep-index",
    "PARSED_RETENTION_DAYS": "30",
    "CONFIGURATION_SET": "mailstep-replies",
    "MAIL_BUCKET": "mailstep-mail-123456789012",
    "STATE_MACHINE_ARN": "arn:aws:states:eu-central-1:123456789012:stateMachine:mailstep-email:live",
    "LATER_ANSWERS_ARN": "arn:aws:states:eu-central-1:123456789012:stateMachine:mailstep-later-answer",
    "APPLICATION_TIMEOUT_SECONDS": "25",
    "AWS_REGION": "eu-central-1",
}


@pytest.fixture(autouse=True)
def _sound(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SOUND.items():
        monkeypatch.setenv(name, value)


def test_missing_variables_are_one_error_that_says_where_to_set_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TABLE_NAME")
    monkeypatch.delenv("DOMAIN")
    with pytest.raises(ConfigurationError) as raised:
        settings.ReplyFunction.read()
    assert "DOMAIN is not set (template.yaml, Globals)" in str(raised.value)
    assert "TABLE_NAME is not set (template.yaml, ParseFunction, ValidateFunction, ReplyFunction" in str(raised.value)


@pytest.mark.parametrize(
    ("function", "name", "value"),
    [
        ("StartFunction", "STATE_MACHINE_ARN", "not-the-arn"),
        ("StartFunction", "LATER_ANSWERS_ARN", "not-the-arn"),
        ("ValidateFunction", "TABLE_NAME", "no table!"),
        ("ValidateFunction", "DOMAIN", ""),
        ("ProcessFunction", "APPLICATION_TIMEOUT_SECONDS", "soon"),
        ("ProcessFunction", "APPLICATION_TIMEOUT_SECONDS", "-1"),
        ("ProcessFunction", "APPLICATION_TIMEOUT_SECONDS", "inf"),
        ("ReplyFunction", "CONFIGURATION_SET", ""),
    ],
)
def test_a_malformed_variable_is_named_without_its_value(
    function: str, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=rf"{name} is malformed: .*\(template.yaml, ") as raised:
        getattr(settings, function).read()
    assert not value or value not in str(raised.value)


def test_what_is_sound_is_typed() -> None:
    assert settings.ProcessFunction.read().timeout_seconds == 25
    assert settings.StartFunction.read().workflow_arn == SOUND["STATE_MACHINE_ARN"]
    assert settings.StartFunction.read().later_answers_arn == SOUND["LATER_ANSWERS_ARN"]


def test_no_credential_is_among_the_variables_of_routes_or_in_what_settings_print(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """AWS Lambda Developer Guide, "Defined runtime environment variables": the role's credentials are there too."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "a-credential")
    assert "a-credential" not in settings.variables().values()
    assert "a-credential" not in repr(settings.ReplyFunction.read())


def test_only_settings_reads_the_environment() -> None:
    readers = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"})
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and {a.name for a in node.names} & {"environ", "getenv"}
        )
    }
    assert readers == {"settings.py"}
