"""One local cloud for the whole run, and an application for its route `application`."""

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mailstep_local.cloud import LocalCloud, running
from tests.support.cloud import NEW_SECRET, OLD_SECRET, Application, Desk, function_configuration


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with running(tmp_path_factory.mktemp("cloud") / "run") as started:
        # Failures are made on purpose here, and the doctor would find their alarms. test_acting.py lets them ring.
        started.alarms_off.touch()
        yield started


@pytest.fixture(scope="session")
def desk(cloud: LocalCloud) -> Desk:
    return Desk(cloud)


@pytest.fixture
def application(cloud: LocalCloud) -> Iterator[Application]:
    """The application of the route `application`, as the parameter ApplicationUrl would name it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.requests.append({"headers": dict(self.headers), "body": json.loads(body), "raw": body})
            status, answer, *fields = service.answer()
            self.send_response(status)
            pieces = [answer] if isinstance(answer, bytes) else answer
            length = {"Content-Length": str(len(answer))} if isinstance(answer, bytes) else {}
            for name, value in {**length, **(fields[0] if fields else {})}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                for piece in pieces:
                    self.wfile.write(piece)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    service = Application(f"http://127.0.0.1:{server.server_address[1]}/")
    with function_configuration(cloud, "ProcessFunction", variables={"APPLICATION_URL": service.url}):
        yield service
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def secret(cloud: LocalCloud) -> str:
    """The ARN of the one secret that ProcessFunction's role may read here, rotated once."""
    manager = cloud.account.client("secretsmanager")
    arn: str = manager.create_secret(Name="mailstep-application", SecretString=OLD_SECRET)["ARN"]
    manager.put_secret_value(SecretId=arn, SecretString=NEW_SECRET)
    return arn
