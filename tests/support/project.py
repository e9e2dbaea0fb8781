"""Where the samples lie, what is deployed, and the command as a user types it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse

PROJECT = Path(__file__).parents[2]
EVENTS = PROJECT / "events"
EMAILS = EVENTS / "emails"
CASES = PROJECT / "tests" / "cases"

DEFINITION = (PROJECT / "statemachine" / "email.asl.json").read_text()
STATES: dict[str, dict[str, Any]] = json.loads(DEFINITION)["States"]
LATER_DEFINITION = (PROJECT / "statemachine" / "later_answer.asl.json").read_text()
REPLAY_DEFINITION = (PROJECT / "statemachine" / "replay.asl.json").read_text()
LATER_STATES: dict[str, dict[str, Any]] = json.loads(LATER_DEFINITION)["States"]
TEMPLATE: dict[str, Any] = yaml_parse((PROJECT / "template.yaml").read_text())
RECEIVING: dict[str, Any] = yaml_parse((PROJECT / "receiving.yaml").read_text())
FUNCTIONS: dict[str, dict[str, Any]] = {
    name: resource["Properties"]
    for name, resource in TEMPLATE["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}
"""The properties of each function of the home stack, by its logical id."""

MAILSTEP = str(Path(sys.executable).with_name("mailstep"))


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a user types it."""
    return subprocess.run(
        [MAILSTEP, *arguments],
        cwd=PROJECT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
