"""docs/schemas is what the code says, and the code writes what docs/schemas say."""

import base64
import json

import pytest
from jsonschema import validate

from mailstep import limits
from mailstep.answers import read_answer
from mailstep.contracts import AnswerAttachment, Message
from mailstep.errors import MalformedAnswer
from mailstep.mime.options import Options
from mailstep_cli.limits_page import limits_page
from mailstep_cli.parameters_page import parameters_page
from mailstep_cli.policy_page import policy_page
from mailstep_cli.reference import PUBLISHED, fact_table, field_tables, metric_table, schema
from tests.support.project import PROJECT, RECEIVING, TEMPLATE

SCHEMAS = PROJECT / "docs" / "schemas"


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_schema_is_that_of_the_code(name: str) -> None:
    assert (SCHEMAS / f"{name}.json").read_text() == schema(name), "run: make reference"


def test_every_field_of_the_message_is_described_and_the_page_says_so() -> None:
    assert "| None |" not in field_tables()
    assert (PROJECT / "docs" / "message.md").read_text() == field_tables(), "run: make reference"


def test_every_shape_within_a_message_has_its_table() -> None:
    shapes = {name for name, shape in Message.model_json_schema()["$defs"].items() if shape["type"] == "object"}
    assert {f"## {name}" for name in shapes} <= set(field_tables().splitlines())


def test_the_policy_page_is_that_of_the_rules() -> None:
    assert (PROJECT / "docs" / "policy.md").read_text() == policy_page(), "run: make reference"


def test_the_metrics_page_is_that_of_the_metrics() -> None:
    assert (PROJECT / "docs" / "metrics.md").read_text() == metric_table(), "run: make reference"


def test_the_page_of_limits_gives_every_limit_and_its_reason() -> None:
    page = limits_page()
    assert (PROJECT / "docs" / "limits.md").read_text() == page, "run: make reference"
    for name in [*(name for name in vars(limits) if name.isupper()), *Options.__dataclass_fields__]:
        assert f"| `{name}` |" in page


def test_the_page_of_parameters_has_each_parameter_of_both_templates_with_its_default() -> None:
    page = parameters_page(PROJECT)
    assert (PROJECT / "docs" / "parameters.md").read_text() == page, "run: make reference"
    home, receiving = (part.splitlines() for part in page.split("\n## ")[1:])
    for lines, template in ((home, TEMPLATE), (receiving, RECEIVING)):
        rows = {line.split("`")[1]: line for line in lines if line.startswith("| `")}
        assert rows.keys() == template["Parameters"].keys()
        for name, declared in template["Parameters"].items():
            default = declared.get("Default", "must be given")
            assert (
                f"| {default if default == 'must be given' else f'`{default}`' if default != '' else 'empty'} |"
                in (rows[name])
            )


def test_the_page_of_aws_facts_is_that_of_the_table() -> None:
    assert (PROJECT / "docs" / "aws-facts.md").read_text() == fact_table(), "run: make reference"


def test_an_answer_is_valid_by_its_schema() -> None:
    answer = read_answer(
        b'{"text": "x", "attachments": [{"filename": "a.csv", "media_type": "text/csv", "content_base64": "YSxi"}]}'
    )
    validate(json.loads(answer.model_dump_json()), json.loads(schema("answer")))
    assert answer.attachments[0].content == b"a,b"
    assert read_answer(answer.model_dump_json().encode()) == answer


@pytest.mark.parametrize("content", ['"content": "YSxi"', '"content_base64": "Y"', '"content_base64": 1'])
def test_an_answer_that_its_schema_does_not_know_is_no_answer(content: str) -> None:
    text = f'{{"text": "x", "attachments": [{{"filename": "a.csv", "media_type": "text/csv", {content}}}]}}'
    with pytest.raises(MalformedAnswer):
        read_answer(text.encode())


def test_a_file_of_an_answer_is_octets_in_python_and_base64_in_json() -> None:
    octets = bytes(range(256))
    attachment = AnswerAttachment(filename="a.bin", media_type="application/octet-stream", content=octets)
    assert attachment.content == octets
    # RFC 4648 section 4: the standard alphabet, not that of URLs.
    assert json.loads(attachment.model_dump_json())["content_base64"] == base64.b64encode(octets).decode()
