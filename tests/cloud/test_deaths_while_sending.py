"""A ReplyFunction that dies twice on one message, before or after SES took the reply: the sender is answered."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mailstep_local.cloud import LocalCloud
from tests.support.cloud import Desk, function_configuration, kill

# A death's record says "in progress" until the function's timeout is over; short, so that nobody waits long here.
TIMEOUT_SECONDS = 4


@contextmanager
def ses_in_front(cloud: LocalCloud, deaths: list[str]) -> Iterator[str]:
    """SES as ReplyFunction sees it; it kills the function, before or after it takes the reply, as often as told."""
    left = list(deaths)

    class Front(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            when = left.pop(0) if left else None
            accepted = {} if when == "before" else self._take(request)
            if when:
                kill(cloud, cloud.functions["ReplyFunction"])
                return
            body = json.dumps({"MessageId": accepted["MessageId"]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _take(self, request: dict[str, Any]) -> dict[str, Any]:
            request["Content"]["Raw"]["Data"] = base64.b64decode(request["Content"]["Raw"]["Data"])
            accepted: dict[str, Any] = cloud.account.client("sesv2").send_email(**request)
            return accepted

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Front)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        assert not left, "the function was not killed as often as it should be"


@pytest.mark.parametrize(
    ("deaths", "accepted"),
    [(["before", "before"], 1), (["before", "after"], 2), (["after", "before"], 2), (["after", "after"], 3)],
)
def test_a_reply_whose_function_dies_twice_is_repeated_only_if_ses_had_accepted_it(
    cloud: LocalCloud, desk: Desk, deaths: list[str], accepted: int
) -> None:
    def outbox() -> set[Path]:
        return set(cloud.outbox.glob("*.eml"))

    before = outbox()
    with ses_in_front(cloud, deaths) as url:
        variables = {"AWS_ENDPOINT_URL_SESV2": url}
        with function_configuration(cloud, "ReplyFunction", timeout=TIMEOUT_SECONDS, variables=variables):
            [result] = desk.send("note.eml")
    assert (result.status, result.outcome) == ("SUCCEEDED", "replied"), result.error
    assert result.timeline
    errors = [attempt.error for attempt in result.timeline.states[-1].attempts]
    assert errors.count("Runtime.ExitError") == 2
    assert errors[-1] is None
    assert len(outbox() - before) == accepted
