"""Times the list, a search and the pages with 10,000 emails in the index of a stack on the local account.

`python -m bench.index`. Each time is told beside the part of it in which the account answers: MiniStack sorts a whole
partition for each query, which DynamoDB does not.
"""

import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import batched, islice
from pathlib import Path
from statistics import median
from typing import Any

import urllib3
from botocore.httpsession import URLLib3Session

from mailstep import reference
from mailstep.aws.message_index import By, MessageIndex
from mailstep.contracts import Message, StoredEmail
from mailstep.index_entry import Execution, IndexEntry
from mailstep.outcomes import Outcome
from mailstep_cli import demo, home_stack
from mailstep_cli.messages import Filter, emails
from mailstep_cli.smtp_client import read_message_file
from mailstep_cli.web.server import bind
from mailstep_local.cloud import LocalCloud, running
from tests.support.project import EMAILS as SAMPLES

EMAILS = 10_000
_RUNS = 9


def main() -> None:
    """Fill an index, and print the median time of each question."""
    with tempfile.TemporaryDirectory() as directory, running(Path(directory) / "run") as cloud:
        [answered] = demo.run(cloud, [read_message_file(SAMPLES / "order.eml")], route="orders", timeout=120)
        email_id = str(answered.execution_arn).rpartition(":")[2]
        index = MessageIndex(cloud.outputs["MessageIndexName"], 30, cloud.account.client("dynamodb"))
        while not ((entry := index.get(email_id)) and entry.outcome == Outcome.REPLIED):
            time.sleep(0.1)
        _fill(cloud, index)
        _tell(_of_the_index(index) | _of_the_pages(cloud, email_id))


def _fill(cloud: LocalCloud, index: MessageIndex) -> None:
    started, now = time.perf_counter(), datetime.now(UTC)
    dynamodb, table = cloud.account.client("dynamodb"), cloud.outputs["MessageIndexName"]
    entries = (_filled(IndexEntry.empty(_id(number)), number, now) for number in range(EMAILS))
    for some in batched((index.as_item(entry, 1) for entry in entries), 25, strict=False):
        dynamodb.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": item}} for item in some]})
    print(f"{EMAILS:,} emails in {time.perf_counter() - started:.0f} s")


def _of_the_index(index: MessageIndex) -> dict[str, Callable[[], object]]:
    return {
        "list, the first 20": lambda: list(islice(emails(index, Filter(), page=25), 20)),
        "list --outcome failed, the first 20": lambda: _first(index, Filter(outcomes=(Outcome.FAILED,))),
        "list --from, the first 20": lambda: _first(index, Filter(sender="ann7@shop.example")),
        "list --subject of one email, all 10,000 read": lambda: _first(index, Filter(subject="order 9999")),
        "find by Message-ID": lambda: index.named(By.MESSAGE_ID, "<5000@shop.example>"),
        "find by reference": lambda: index.named(By.REFERENCE, reference.short(_id(5000))),
        "find by the first characters": lambda: index.named(By.PREFIX, _id(5000)[:8]),
    }


def _of_the_pages(cloud: LocalCloud, email_id: str) -> dict[str, Callable[[], object]]:
    """Requests to `mailstep web`, by HTTP, as an operator's browser makes them."""
    os.environ.update(cloud.account.environment())
    server = bind(home_stack.find("mailstep"))
    server.run_beside()
    origin, browser = server.url.partition("/?")[0], urllib3.PoolManager()
    opened = browser.request("GET", server.url, redirect=False)
    headers = {"Cookie": opened.headers["Set-Cookie"].partition(";")[0]}

    def page(path: str) -> Callable[[], object]:
        def ask() -> object:
            answer = browser.request("GET", origin + path, headers=headers)
            return answer.status == 200 and answer.data

        return ask

    return {
        "page: the list": page("/"),
        "page: the list, only failed": page("/?outcome=failed"),
        "page: a message": page(f"/messages/{email_id}"),
        "page: the frame of its answer": page(f"/messages/{email_id}/answer-html"),
    }


def _tell(questions: dict[str, Callable[[], object]]) -> None:
    """Print how long each takes, and how much of that the account answers."""
    answering = [0.0]
    send = URLLib3Session.send

    def timed(self: URLLib3Session, request: Any) -> Any:
        started = time.perf_counter()
        try:
            return send(self, request)
        finally:
            answering[0] += time.perf_counter() - started

    URLLib3Session.send = timed  # type: ignore[method-assign]
    print("    whole  account      own")
    for name, ask in questions.items():
        assert ask(), name  # noqa: S101 - a bench that measures nothing is a defect
        times = []
        for _ in range(_RUNS):
            answering[0], started = 0.0, time.perf_counter()
            ask()
            times.append((time.perf_counter() - started, answering[0]))
        whole, account = (median(part) * 1000 for part in zip(*times, strict=True))
        print(f"{whole:6.1f} ms {account:5.1f} ms {whole - account:5.1f} ms  {name}")


def _first(index: MessageIndex, wanted: Filter) -> list[IndexEntry]:
    return list(islice(emails(index, wanted), 20))


def _id(number: int) -> str:
    return f"{number * 7919 % EMAILS:05}x-{number:032x}"


def _filled(entry: IndexEntry, number: int, now: datetime) -> IndexEntry:
    when = now - timedelta(minutes=number)
    email_id = _id(number)
    stored = StoredEmail(email_id=email_id, route="orders", bucket="b", key=f"inbound/orders/{number}", stored=when)
    message = Message.model_validate(
        {
            "email_id": email_id, "route": "orders", "size_octets": 1600, "received": when,
            "from": [{"address": f"ann{number % 100}@shop.example"}], "subject": f"Order {number}",
            "message_id": f"<{number}@shop.example>",
        }
    )  # fmt: skip
    execution = Execution(
        arn=f"arn:aws:states:us-east-1:000000000000:execution:mailstep-email:{email_id}", status="SUCCEEDED",
        started=when, ended=when + timedelta(seconds=2), ses_message_id=f"reply-{number}",
        outcome=Outcome.FAILED if number % 50 == 0 else Outcome.REPLIED,
    )  # fmt: skip
    return entry.with_email(stored).with_execution(execution).with_message(message)


if __name__ == "__main__":
    main()
