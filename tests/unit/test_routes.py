"""routes.toml: what is right is read, what is wrong is named with what to do."""

import pytest

from mailstep.errors import ConfigurationError
from mailstep.routes import ROUTES_FILE, load


def test_the_shipped_routes_are_valid() -> None:
    routes = load(ROUTES_FILE.read_text(), {"APPLICATION_URL": "https://app.example/mail"})
    assert routes["application"].url == "https://app.example/mail"
    assert routes["orders"].processor == "receipt"


def test_a_variable_cannot_change_the_files_shape() -> None:
    url = '"\n[routes.evil]\nurl = "x'
    assert set(load('[routes.a]\nurl = "${U}"', {"U": url})) == {"a"}


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ('[routes.a]\nurl = "${MISSING}"', "MISSING"),
        ("[routes.a\n", "line 1"),
        ("[routes.a]\nprocesor = 'x'", "procesor"),
        ("[routes.a]\nmax_size_octets = 0", "max_size_octets"),
    ],
)
def test_what_is_wrong_is_named(text: str, remedy: str) -> None:
    with pytest.raises(ConfigurationError, match=remedy):
        load(text, {})
