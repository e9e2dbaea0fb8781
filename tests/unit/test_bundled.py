"""A processor that imports what the deployed functions lack is told before the deployment."""

import shutil
from pathlib import Path

import pytest

from mailstep_cli import bundled
from tests.support.project import PROJECT

PROCESSOR = (
    "from mailstep.process.processors import Answer\n\n\ndef process(message, _open):\n    return Answer(text='x')\n"
)


@pytest.fixture
def functions(tmp_path: Path) -> Path:
    """The folder that is deployed; of Mailstep's own code, only the folder counts."""
    (tmp_path / "mailstep").mkdir()
    shutil.copy(PROJECT / "functions" / "requirements.txt", tmp_path)
    return tmp_path


def write(functions: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = functions / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    "said",
    [
        "import json, zoneinfo, sqlite3",
        "import pydantic, jinja2.sandbox",
        # The names of these packages differ from their modules': aws-lambda-powertools, python-dateutil, pypng.
        "import aws_lambda_powertools, dateutil.parser, png",
        # The runtime's own.
        "import boto3\nfrom botocore.exceptions import ClientError",
        "from mailstep.mime import structure",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mypy_boto3_s3 import S3Client",
        "try:\n    import openpyxl\nexcept ImportError:\n    openpyxl = None",
        "from . import helper\nfrom .helper import x\nfrom custom.shared import y\nimport vendored.z",
    ],
)
def test_what_the_functions_have_or_the_code_can_do_without_is_no_fault(functions: Path, said: str) -> None:
    write(
        functions,
        {
            "custom/processors/words.py": f"{said}\n{PROCESSOR}",
            "custom/processors/helper.py": "x = 1",
            "custom/shared.py": "y = 1",
            "vendored/z.py": "",
        },
    )
    assert bundled.faults(functions, "words") == []


@pytest.mark.parametrize(
    ("said", "module", "package", "line"),
    [
        ("import openpyxl", "openpyxl", "openpyxl", 1),
        ("import json\nfrom openpyxl.styles import Font", "openpyxl.styles.Font", "openpyxl", 2),
        # In the functions' environment only at the time of the call.
        ("def late():\n    import openpyxl", "openpyxl", "openpyxl", 2),
        # Installed here under another name, and not at all.
        ("import standardwebhooks as hooks", "standardwebhooks", "standardwebhooks", 1),
        ("from google_cloud_nowhere import x", "google_cloud_nowhere.x", "google_cloud_nowhere", 1),
        ("import yaml", "yaml", "PyYAML", 1),
        ("try:\n    import openpyxl\nexcept OSError:\n    pass", "openpyxl", "openpyxl", 2),
        ("try:\n    x = 1\nexcept ImportError:\n    import openpyxl", "openpyxl", "openpyxl", 4),
    ],
)
def test_an_import_that_only_this_machine_has_is_named_with_its_line_and_package(
    functions: Path, said: str, module: str, package: str, line: int
) -> None:
    write(functions, {"custom/processors/words.py": f"{said}\n{PROCESSOR}"})
    [fault] = bundled.faults(functions, "words")
    assert f"imports {module} (words.py, line {line})" in fault
    assert f"add {package} to" in fault
    assert "make lock" in fault


@pytest.mark.parametrize(
    "said",
    [
        "from .. import helper",
        "from ..helper import x",
        "from mailstep.process.processors.helper import x",
        "from mailstep.process.processors import helper",
    ],
)
def test_what_a_processor_imports_of_the_installation_is_read_too(functions: Path, said: str) -> None:
    write(
        functions,
        {
            "custom/processors/words/__init__.py": f"{said}\n{PROCESSOR}",
            "custom/processors/helper.py": "import custom.shared\nfrom . import words\nx = 1",
            "custom/shared.py": "import openpyxl",
        },
    )
    [fault] = bundled.faults(functions, "words")
    assert "the processor words imports openpyxl (shared.py, line 1)" in fault


def test_a_shipped_processor_and_one_that_python_cannot_read_have_no_such_fault(functions: Path) -> None:
    assert bundled.faults(functions, "tables") == []
    write(functions, {"custom/processors/words.py": "import openpyxl; def"})
    assert bundled.faults(functions, "words") == []
