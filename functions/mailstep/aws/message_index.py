"""Keeps the index of messages in DynamoDB: one item an email, found by time, route, sender, Message-ID and more.

Each item is one `IndexEntry`, with the keys of the table's indexes beside it (template.yaml, MessageIndex).
What many emails share, such as a route, is spread over `SHARDS` partitions: all mail of one moment would otherwise be
written to one partition, which takes 1,000 writes a second (Amazon DynamoDB Developer Guide, "Best practices for
designing and using partition keys effectively"). A reader asks each shard, and merges what they say.
"""

import heapq
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from itertools import batched
from typing import TYPE_CHECKING, Any, Self

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from mailstep import settings
from mailstep.aws.clients import client, transient_faults
from mailstep.errors import TransientError
from mailstep.index_entry import IndexEntry, text_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import QueryOutputTypeDef

SHARDS = 4
PREFIX = 4
"""Characters of an email_id that a search by its first characters needs, at least."""
_DAY = 24 * 3600
_ATTEMPTS = 8
_KEY_OCTETS = 1024  # an index key has 2,048 at most (Amazon DynamoDB, "Quotas")
_BATCH = 100  # keys in one BatchGetItem (API reference)
_FIRST, _LAST = "0", "9999"  # before and after every time as text


class By(StrEnum):
    """What the index finds emails by: each is an index of the table, and the attribute that is its key."""

    TIME = "time_shard"
    ROUTE = "route_shard"
    OUTCOME = "outcome_shard"
    SENDER = "sender_key"
    MESSAGE_ID = "message_id_key"
    THREAD = "thread_key"
    REFERENCE = "reference_key"
    PREFIX = "prefix_key"

    @property
    def index_name(self) -> str:
        """The name of the table's index."""
        return f"by-{self.value.rpartition('_')[0].replace('_', '-')}"


_SHARDED = {By.TIME, By.ROUTE, By.OUTCOME}


class MessageIndex:
    """The index of one stack. Each method raises TransientError if DynamoDB is unavailable."""

    def __init__(self, table_name: str, retention_days: int, dynamodb: "DynamoDBClient | None" = None) -> None:
        """`retention_days` is how long an entry is kept after the email's last execution started.

        `dynamodb` is the client of another account than the environment's.
        """
        self._table, self.retention_days, self._dynamodb = table_name, retention_days, dynamodb

    @classmethod
    def deployed(cls) -> Self:
        """The index that the environment of this function names."""
        found = settings.MessageIndex.read()
        return cls(found.index_table, found.retention_days)

    def get(self, email_id: str) -> IndexEntry | None:
        """The entry of an email."""
        return _entry(self._item(email_id))

    def get_many(self, email_ids: Iterable[str]) -> dict[str, IndexEntry]:
        """The entries of those emails that have one."""
        dynamodb = self._client()
        found: dict[str, IndexEntry] = {}
        for some in batched(dict.fromkeys(email_ids), _BATCH, strict=False):
            wanted: Any = {self._table: {"Keys": [{"email_id": {"S": one}} for one in some]}}
            for _ in range(_ATTEMPTS):
                with transient_faults():
                    answer = dynamodb.batch_get_item(RequestItems=wanted)
                entries = [_entry(item) for item in answer["Responses"].get(self._table, [])]
                found |= {entry.email_id: entry for entry in entries if entry}
                wanted = answer.get("UnprocessedKeys")
                if not wanted:
                    break
            else:
                raise TransientError("the index: DynamoDB left keys unprocessed")
        return found

    def change(self, email_id: str, change: Callable[[IndexEntry], IndexEntry]) -> bool:
        """Apply a change to the entry of an email, or to an empty one; return whether anything changed.

        Others may change the same entry at the same time: the change is applied to what is there when it is written.
        """
        dynamodb = self._client()
        for _ in range(_ATTEMPTS):
            item = self._item(email_id)
            before = _entry(item) or IndexEntry.empty(email_id)
            after = change(before)
            if after == before:
                return False
            revision = int(item["revision"]["N"]) if item else 0
            with transient_faults():
                try:
                    dynamodb.put_item(
                        TableName=self._table,
                        Item=self.as_item(after, revision + 1),
                        ConditionExpression="attribute_not_exists(email_id) OR revision = :seen",
                        ExpressionAttributeValues={":seen": {"N": str(revision)}},
                    )
                except dynamodb.exceptions.ConditionalCheckFailedException:
                    continue
            return True
        raise TransientError("the index: others change the same entry")

    def delete(self, email_id: str) -> None:
        """Delete the entry of an email, if there is one."""
        dynamodb = self._client()
        with transient_faults():
            dynamodb.delete_item(TableName=self._table, Key={"email_id": {"S": email_id}})

    def newest(
        self,
        by: By = By.TIME,
        value: str = "",
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        page: int = 100,
    ) -> Iterator[IndexEntry]:
        """The entries with a value, the newest first, read in pages as they are asked for.

        `value` is a route, an outcome, a canonical address, a Message-ID or a thread's id; TIME has none. `since` and
        `until` are compared with `received`: `since` is within the span, `until` is not. `page` is the number of items
        that one request reads of each shard.
        """
        partitions = [_sharded(value, shard) for shard in range(SHARDS)] if by in _SHARDED else [_cut(value)]
        span = (text_of(since) if since else _FIRST, text_of(until) if until else _LAST) if since or until else None
        streams = [self._query(by, partition, span, page) for partition in partitions]
        for item in heapq.merge(*streams, key=lambda item: item["received"]["S"], reverse=True):
            if entry := _entry(item):
                yield entry

    def named(self, by: By, value: str, *, most: int = 10) -> list[IndexEntry]:
        """The entries that a name belongs to, the newest first: at most this many.

        `by` is REFERENCE, MESSAGE_ID, or PREFIX, for which `value` has the first characters of an email_id, at least
        `PREFIX`.
        """
        names = {":value": {"S": _cut(value)}}
        condition = f"{by} = :value"
        if by is By.PREFIX:
            names = {":value": {"S": value[:PREFIX]}, ":start": {"S": value}}
            condition += " AND begins_with(email_id, :start)"
        items = self._page(by, condition, names, most)["Items"]
        found = self.get_many(item["email_id"]["S"] for item in items)
        return sorted(found.values(), key=lambda entry: text_of(entry.received) if entry.received else "", reverse=True)

    def _query(self, by: By, partition: str, span: tuple[str, str] | None, page: int) -> Iterator[dict[str, Any]]:
        condition, values = f"{by} = :value", {":value": {"S": partition}}
        if span:
            condition += " AND received BETWEEN :since AND :until"
            # The end is not included: without its Z, it sorts before every time of that millisecond.
            values |= {":since": {"S": span[0]}, ":until": {"S": span[1].removesuffix("Z")}}
        start: dict[str, Any] = {}
        while True:
            answer = self._page(by, condition, values, page, **start)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _page(self, by: By, condition: str, values: dict[str, Any], most: int, **start: Any) -> "QueryOutputTypeDef":
        """A page of an index of the table, the newest first: at most this many items."""
        dynamodb = self._client()
        with transient_faults():
            return dynamodb.query(
                TableName=self._table,
                IndexName=by.index_name,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ScanIndexForward=False,
                Limit=most,
                **start,
            )

    def _client(self) -> "DynamoDBClient":
        return self._dynamodb or client("dynamodb")

    def _item(self, email_id: str) -> dict[str, Any] | None:
        dynamodb = self._client()
        with transient_faults():
            return dynamodb.get_item(
                TableName=self._table, Key={"email_id": {"S": email_id}}, ConsistentRead=True
            ).get("Item")  # fmt: skip

    def as_item(self, entry: IndexEntry, revision: int) -> dict[str, Any]:
        """The item that holds an entry: its fields, the keys of the table's indexes, and when it expires."""
        last = max((one.latest_start for one in entry.executions), default=entry.received)
        kept_until = int(last.timestamp() if last else time.time()) + (self.retention_days + 1) * _DAY
        keys = {by.value: _cut(value) for by, value in _keys(entry).items() if value}
        item = (
            entry.model_dump(mode="json", exclude_none=True) | keys | {"revision": revision, "expiration": kept_until}
        )
        serialise = TypeSerializer().serialize
        return {name: serialise(value) for name, value in item.items()}


def _keys(entry: IndexEntry) -> dict[By, str | None]:
    """The value of each key of the table's indexes. An entry without a time is not in an index that sorts by time."""
    shard = sha256(entry.email_id.encode()).digest()[0] % SHARDS
    keys: dict[By, str | None] = {
        By.REFERENCE: entry.reference,
        By.PREFIX: entry.email_id[:PREFIX],
    }
    if entry.received:
        keys |= {
            By.TIME: _sharded("", shard),
            By.ROUTE: _sharded(entry.route, shard) if entry.route else None,
            By.OUTCOME: _sharded(entry.outcome, shard),
            By.SENDER: entry.sender,
            By.MESSAGE_ID: entry.message_id,
            By.THREAD: entry.thread_id,
        }
    return keys


def _sharded(value: str, shard: int) -> str:
    return f"{value}#{shard}"


def _cut(value: str) -> str:
    """A key of the sender's, which may be longer than a key of DynamoDB."""
    return value.encode("utf-8", "replace")[:_KEY_OCTETS].decode("utf-8", "ignore")


def _entry(item: dict[str, Any] | None) -> IndexEntry | None:
    """The entry in an item; None if it has expired: DynamoDB may delete it days later (ledger.py)."""
    if item is None or int(item["expiration"]["N"]) <= time.time():
        return None
    deserialise = TypeDeserializer().deserialize
    own = {field.alias or name for name, field in IndexEntry.model_fields.items()}
    return IndexEntry.model_validate({name: deserialise(value) for name, value in item.items() if name in own})
