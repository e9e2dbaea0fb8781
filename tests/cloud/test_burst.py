"""More mail at once than there are environments, and an application that is slow: every sender is answered."""

import smtplib
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.utils import make_msgid

import pytest

from mailstep_local.cloud import LocalCloud
from tests.support.cloud import Answer, Application, Desk, eventually, hurried

ANSWER = b'{"text": "Done."}'

# Waits are scaled by this, so that a minute of backoff is three seconds.
SCALE = 0.05


def message(number: int) -> tuple[str, bytes]:
    """A sender of its own, because one sender has a bound of replies."""
    sender = f"sender-{number}@shop.example"
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, "application@mailstep.example", f"Burst {number}"
    made["Message-ID"] = make_msgid(domain="shop.example")
    made.set_content("Hello.")
    return sender, made.as_bytes()


@pytest.mark.parametrize(
    ("messages", "seconds"),
    [
        pytest.param(60, 1, id="60 messages"),
        pytest.param(400, 3, id="400 messages", marks=[pytest.mark.soak, pytest.mark.timeout(1200)]),
    ],
)
def test_a_burst_is_answered_to_the_last_message(
    cloud: LocalCloud, desk: Desk, application: Application, messages: int, seconds: int
) -> None:
    def slow() -> Answer:
        time.sleep(seconds)
        return 200, ANSWER

    application.answers = [slow]

    def send(numbers: range) -> list[str]:
        with smtplib.SMTP("127.0.0.1", cloud.smtp_port, timeout=60) as smtp:
            smtp.ehlo()
            ids = []
            for number in numbers:
                sender, raw = message(number)
                smtp.mail(sender)
                smtp.rcpt("application@mailstep.example")
                ids.append(smtp.data(raw)[1].decode().rpartition(" ")[2])
            return ids

    sfn = cloud.account.client("stepfunctions")

    def statuses() -> Counter[str]:
        pages = sfn.get_paginator("list_executions").paginate(stateMachineArn=cloud.outputs["StateMachineArn"])
        return Counter(e["status"] for page in pages for e in page["executions"] if e["name"][:40] in sent)

    with hurried(cloud, SCALE):
        with ThreadPoolExecutor(4) as pool:
            parts = [range(start, messages, 4) for start in range(4)]
            sent = {one for ids in pool.map(send, parts) for one in ids}
        assert len(sent) == messages
        assert eventually(lambda: not statuses()["RUNNING"] and statuses().total() == messages, seconds=900, every=2)
    assert statuses() == {"SUCCEEDED": messages}
    answered = Counter(
        reply.partition("\nTo: ")[2].partition("\n")[0]
        for path in cloud.outbox.glob("*.eml")
        if "Done." in (reply := path.read_text().replace("\r\n", "\n")) and "Burst" in reply
    )
    assert answered == {f"sender-{number}@shop.example": 1 for number in range(messages)}
