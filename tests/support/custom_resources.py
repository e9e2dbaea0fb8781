"""CloudFormation as a custom resource sees it: the requests it makes, and the URL that it is answered at."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, Self


class CloudFormation:
    """Asks the activation of receiving.yaml through `call`; `own` is the rule set that is the stack's."""

    def __init__(self, *, own: str, call: Callable[[dict[str, Any]], object]) -> None:
        self._own, self._call = own, call
        self._answers: list[dict[str, Any]] = []
        answers = self._answers

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                assert self.headers.get("Content-Type", "") == ""
                answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def ask(self, request: str, name: str | None = None, *, physical_id: str | None = None) -> dict[str, Any]:
        """Its answer to a request of this type about the rule set `name`, or its own."""
        name = name or self._own
        event = {
            "RequestType": request,
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Activation",
            "ResourceProperties": {"RuleSetName": name, "Own": "true" if name == self._own else "false"},
        }
        if request != "Create":
            event["PhysicalResourceId"] = physical_id or name
        return self.answer_to(event)

    def answer_to(self, event: dict[str, Any]) -> dict[str, Any]:
        """Its answer to a request as CloudFormation makes it, but for the URL, which is here."""
        self._call(event | {"ResponseURL": f"http://127.0.0.1:{self._server.server_address[1]}/"})
        return self._answers.pop()
