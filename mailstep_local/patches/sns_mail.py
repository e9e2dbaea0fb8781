"""SNS's mail to a subscriber by email, which MiniStack only logs: it is kept in a folder, as SNS would send it."""

from email.message import EmailMessage
from pathlib import Path
from typing import Any

from ministack.services import sns

from mailstep_local.ministack_names import Names

MINISTACK = Names(
    {
        "services.sns:_fanout": (
            "topic_arn, msg_id, message, subject, "
            "message_structure, message_attributes, message_group_id, message_dedup_id"
        ),
        "services.sns:_topic_by_arn_any_scope": "topic_arn",
    }
)

_SENDER = "AWS Notifications <no-reply@sns.amazonaws.com>"
_SUBJECT = "AWS Notification Message"
"""Of a message that was published without a subject."""


def apply(folder: Path) -> None:
    """Keep the mail of each topic's subscribers by email in `folder`, as `<id of the notification>.eml`."""
    fanout = MINISTACK.original("services.sns:_fanout")

    def fanout_and_mail(
        topic_arn: str, msg_id: str, message: str, subject: str = "", *others: Any, **named: Any
    ) -> None:
        fanout(topic_arn, msg_id, message, subject, *others, **named)
        topic = sns._topic_by_arn_any_scope(topic_arn) or {"subscriptions": []}
        to = [one["endpoint"] for one in topic["subscriptions"] if one.get("protocol") == "email"]
        if to:
            folder.mkdir(exist_ok=True)
            (folder / f"{msg_id}.eml").write_bytes(_mail(to, subject, message).as_bytes())

    MINISTACK.replace("services.sns:_fanout", fanout_and_mail)


def _mail(to: list[str], subject: str, message: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = _SENDER, ", ".join(to)
    mail["Subject"] = " ".join((subject or _SUBJECT).split())
    mail.set_content(message)
    return mail
