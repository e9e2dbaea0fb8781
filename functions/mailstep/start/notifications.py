"""Reads S3 events: the emails and later answers in them, and the keys of other objects."""

from datetime import UTC, datetime
from urllib.parse import unquote_plus

from mailstep import keys
from mailstep.contracts import LaterAnswer, StoredEmail
from mailstep.routes import deployed_names
from mailstep.start.identity import SETUP_NOTIFICATION, later_answer, stored_email


def objects(notification: object, bucket: str) -> list[StoredEmail | LaterAnswer | str]:
    """The objects that an S3 event says were created: emails, later answers, and the keys of other objects.

    Empty for `s3:TestEvent`, and for the first answer to an email, which its own execution sends. An object of another
    bucket than `bucket`, and one that was not created, is neither: its key is returned. The object that SES writes when
    a rule is created is left out. Keys are URL-encoded, with `+` for a space (Amazon S3 User Guide, "Event message
    structure").

    Raises:
        ValueError: it is not an S3 event.
    """
    match notification:
        case {"Event": "s3:TestEvent"}:
            return []
        case {"Records": list(records)}:
            return [found for record in records if (found := _object(record, bucket)) is not None]
        case _:
            raise ValueError("not an S3 event: neither Records nor s3:TestEvent")


def _object(record: object, ours: str) -> StoredEmail | LaterAnswer | str | None:
    match record:
        case {"s3": {"bucket": {"name": str(bucket)}, "object": {"key": str(encoded), **rest}}, **event}:
            version, key = rest.get("versionId"), unquote_plus(encoded)
            if bucket != ours or not str(event.get("eventName")).startswith("ObjectCreated:"):
                return key
            if key.rpartition("/")[2] == SETUP_NOTIFICATION:
                return None
            if key.startswith(keys.ANSWERS):
                return None if key.count("/") == 1 else later_answer(bucket, key) or key
            email = stored_email(bucket, key, str(version) if version else None, _time(event.get("eventTime")))
            return email if email and email.route in deployed_names() else key
        case _:
            raise ValueError("not a record of an S3 event: no s3.bucket.name and s3.object.key")


def _time(said: object) -> datetime | None:
    """When S3 stored the object (Amazon S3 User Guide, "Event message structure": eventTime, ISO 8601, in UTC)."""
    try:
        time = datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
