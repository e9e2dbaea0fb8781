"""Times the list, a search and a page of the index with 10,000 emails, as shares of one run on the local account.

`python -m bench.index`. MiniStack sorts a whole partition for each query, so most of each time is the account's own.
"""

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import batched, islice
from pathlib import Path
from statistics import median

from mailstep import reference
from mailstep.aws.message_index import SHARDS, By, MessageIndex
from mailstep.contracts import Message, StoredEmail
from mailstep.index_entry import Execution, IndexEntry
from mailstep.outcomes import Outcome
from mailstep_cli.messages import Filter, emails
from mailstep_local.cloud import empty_account
from tests.support.index import TABLE, index_table

EMAILS = 10_000
_RUNS = 9


def main() -> None:
    """Fill an index, and print the median time of each question."""
    with tempfile.TemporaryDirectory() as directory, empty_account(Path(directory) / "run") as (account, _):
        dynamodb = account.client("dynamodb")
        dynamodb.create_table(**index_table())
        index = MessageIndex(TABLE, 30, dynamodb)
        started = time.perf_counter()
        now = datetime.now(UTC)
        entries = (_filled(IndexEntry.empty(_id(number)), number, now) for number in range(EMAILS))
        for some in batched((index.as_item(entry, 1) for entry in entries), 25, strict=False):
            dynamodb.batch_write_item(RequestItems={TABLE: [{"PutRequest": {"Item": item}} for item in some]})
        print(f"{EMAILS:,} emails in {time.perf_counter() - started:.0f} s")
        questions: dict[str, Callable[[], object]] = {
            "the account's own time, one GetItem": lambda: index.get(_id(5000)),
            "the account's own time, the queries of a list": lambda: [
                dynamodb.query(
                    TableName=TABLE,
                    IndexName=By.TIME.index_name,
                    ScanIndexForward=False,
                    Limit=25,
                    KeyConditionExpression=f"{By.TIME} = :shard",
                    ExpressionAttributeValues={":shard": {"S": f"#{n}"}},
                )
                for n in range(SHARDS)
            ],
            "list, the first 20": lambda: list(islice(emails(index, Filter(), page=25), 20)),
            "list --outcome failed, the first 20": lambda: _first(index, Filter(outcomes=(Outcome.FAILED,))),
            "list --from, the first 20": lambda: _first(index, Filter(sender="ann7@shop.example")),
            "list --subject of one email, all 10,000 read": lambda: _first(index, Filter(subject="order 9999")),
            "find by Message-ID": lambda: index.named(By.MESSAGE_ID, "<5000@shop.example>"),
            "find by reference": lambda: index.named(By.REFERENCE, reference.short(_id(5000))),
            "find by the first characters": lambda: index.named(By.PREFIX, _id(5000)[:8]),
        }
        for name, ask in questions.items():
            assert ask(), name  # noqa: S101 - a bench that measures nothing is a defect
            print(f"{_milliseconds(ask):8.1f} ms  {name}")


def _first(index: MessageIndex, wanted: Filter) -> list[IndexEntry]:
    return list(islice(emails(index, wanted), 20))


def _milliseconds(ask: Callable[[], object]) -> float:
    times = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        ask()
        times.append(time.perf_counter() - started)
    return median(times) * 1000


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
