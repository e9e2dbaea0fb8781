"""routes.toml: what is right is read, what is wrong is named with what to do."""

import re
from pathlib import Path

import pytest

from mailstep.errors import ConfigurationError
from mailstep.routes import ROUTES_FILE, load
from mailstep_cli import cli
from mailstep_local.errors import UserError
from tests.conftest import PROJECT

ENVIRONMENT = {
    "APPLICATION_URL": "https://app.example/mail",
    "APPLICATION_AUTH": "hmac",
    "APPLICATION_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:app",
    "APPLICATION_LIMIT_HOURS": "24",
    "APPLICATION_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/app.fifo",
}


def test_the_shipped_routes_are_valid_also_where_no_application_is_named() -> None:
    routes = load(ROUTES_FILE.read_text(), ENVIRONMENT)
    assert (routes["application"].url, routes["application"].auth) == ("https://app.example/mail", "hmac")
    assert routes["tickets"].queue.endswith("app.fifo")
    unset = ENVIRONMENT | {"APPLICATION_URL": "", "APPLICATION_AUTH": "none", "APPLICATION_SECRET_ARN": ""}
    assert load(ROUTES_FILE.read_text(), unset)["application"].processor == "receipt"


def test_every_variable_of_the_shipped_routes_is_one_of_the_functions() -> None:
    declared = (PROJECT / "template.yaml").read_text().partition("Resources:")[0]
    named = re.findall(r"\$\{(\w+)\}", ROUTES_FILE.read_text())
    assert named
    assert all(f"{name}: " in declared for name in named if name != "NAME")


def test_a_variable_cannot_change_the_files_shape() -> None:
    name = '"\n[routes.evil]\nreply_name = "x'
    routes = load('[routes.a]\nreply_name = "${U}"', {"U": name})
    assert set(routes) == {"a"}
    assert routes["a"].reply_name == name


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ('[routes.a]\nurl = "${MISSING}"', "line 2: .*MISSING.* is not set: set it in template.yaml"),
        ("[routes.a\n", "line 1"),
        ("", "no route: add one"),
        (
            "[routes.a]\n\nprocesor = 'x'",
            "line 3: routes.a.procesor: there is no such setting; .*processor",
        ),
        ("[routes.b]\n[routes.a]\nmax_size_octets = 0", "line 3: routes.a.max_size_octets: .*greater than 0"),
        ("[routes.a]\npatience_hours = 73", "line 2: routes.a.patience_hours: .*less than or equal to 72"),
        ("[routes.a]\nurl = 'http://shop.example/'", "line 2: routes.a: url: begin it with https://"),
        ("[routes.a]\nurl = 'http://127.0.0.1.evil.example/'", "begin it with https://"),
        ("[routes.a]\nurl = 'https://a.example/'\nauth = 'hmac'", "line 3: .*needs secret"),
        ("[routes.a]\nsecret = 'hunter2'", "line 2: .*not the secret itself"),  # pragma: allowlist secret
        ("[routes.a]\nauth = 'basic'", "line 2: routes.a.auth: .*'sigv4'"),
        ("[routes.a]\nqueue = 'https://sqs.example/q'", "line 2: .*FIFO"),
        ("[routes.a]\nqueue = 'q.fifo'\nurl = 'https://a.example/'", "line 2: .*name one of them"),
        ("[routes.a]\nqueue = 'q.fifo'\nlimit_hours = 1\nheartbeat_seconds = 3600", "line 4: .*below limit_hours"),
        ("[routes.a]\n[routes.A_b]", "line 2: 'A_b' cannot name a route: use 1 to 40 of a-z"),
        ("[routes.ab]\n[routes.a-b]", "nothing but hyphens"),
        ("[routes]\na = 1", "routes.a: "),
    ],
)
def test_what_is_wrong_is_named(text: str, remedy: str) -> None:
    with pytest.raises(ConfigurationError, match=remedy):
        load(text, {})


def test_the_command_shows_the_routes_and_what_is_wrong_with_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(cli, "ROUTES_FILE", tmp_path / "routes.toml")
    (tmp_path / "routes.toml").write_text('[routes.a]\nurl = "${APPLICATION_URL}"\n')
    cli.check_routes()
    assert "inbound/a/" in capsys.readouterr().out
    (tmp_path / "routes.toml").write_text("[routes.a]\nurls = 'x'\n")
    with pytest.raises(UserError, match=r"line 2: routes\.a\.urls: there is no such setting"):
        cli.check_routes()
