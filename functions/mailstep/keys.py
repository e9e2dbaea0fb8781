"""The layout of the mail bucket: every prefix and key, made here and nowhere else.

The state machine, the templates and the docs name the same ones; tests/unit/test_one_fact.py compares them.
"""

INBOUND = "inbound/"
"""Where SES stores raw messages, as `inbound/<route>/<SES message id>`."""
PARSED = "parsed/"
"""What ParseEmail makes of them."""
ANSWERS = "answers/"
"""What an application, or a built-in processor, answers, as `answers/<email_id>.json`; later answers below a folder."""
QUARANTINE = "quarantine/"
"""Raw messages that could not be read, as `quarantine/<email_id>`."""
REPLAYS = "replays/"
"""Lists of messages that an operator replays, and what became of them: ids and keys, nothing of a sender."""

PREFIXES = (INBOUND, PARSED, ANSWERS, QUARANTINE, REPLAYS)


def inbound(route: str) -> str:
    """The prefix under which SES stores the mail of a route."""
    return f"{INBOUND}{route}/"


def route(key: str) -> str:
    """The route of a raw message: the name between `inbound/` and the object's own name."""
    return key.split("/")[1]


def parsed(email_id: str) -> str:
    """The prefix of everything that ParseEmail makes of an email."""
    return f"{PARSED}{email_id}/"


def message(email_id: str) -> str:
    """Where the Message lies."""
    return f"{PARSED}{email_id}/message.json"


def attachment(email_id: str, number: int) -> str:
    """Where an attachment lies, counted from 1. Never made from a file name, which is the sender's."""
    return f"{PARSED}{email_id}/attachments/{number}"


def later_answer(email_id: str, name: str) -> str:
    """Where an application or an operator writes a further answer, under a name of its own."""
    return f"{ANSWERS}{email_id}/{name}.json"


def answer(email_id: str) -> str:
    """Where the Answer lies."""
    return f"{ANSWERS}{email_id}.json"


def replay(batch: str) -> str:
    """Where the list of messages of a replay lies."""
    return f"{REPLAYS}{batch}.json"


def replay_results(batch: str) -> str:
    """Below which Step Functions writes what became of the messages of a replay."""
    return f"{REPLAYS}{batch}"


def later_answers(email_id: str) -> str:
    """The prefix of the answers that an application gives after the first one."""
    return f"{ANSWERS}{email_id}/"


def quarantined(email_id: str) -> str:
    """Where the copy of an unreadable message lies."""
    return f"{QUARANTINE}{email_id}"
