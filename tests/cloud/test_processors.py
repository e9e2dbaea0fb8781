"""Built-in processors: what `tables` answers, and a new one in one file and one route, nothing else touched."""

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailstep_cli.smtp_client import read_message_file
from mailstep_local.cloud import LocalCloud
from tests.support.cloud import Desk, body, eventually, reply_of
from tests.support.deployed_code import deployed_with
from tests.support.project import EVENTS, PROJECT
from tests.support.tables import TITANIC

PROCESSOR = '''"""Counts words."""

from mailstep.process.processors import Answer, Message, OpenAttachment


def process(message: Message, open_attachment: OpenAttachment) -> Answer:
    return Answer(text=f"You wrote {len(message.text.split())} words.")
'''


@pytest.fixture
def _words(cloud: LocalCloud) -> Iterator[None]:
    routes = (PROJECT / "functions" / "routes.toml").read_text() + '\n[routes.words]\nprocessor = "words"\n'
    with deployed_with(cloud, {"routes.toml": routes, "mailstep/process/processors/words.py": PROCESSOR}):
        yield


@pytest.mark.usefixtures("_words")
def test_a_new_processor_is_one_file_and_one_route(cloud: LocalCloud, desk: Desk) -> None:
    desk.forget_deliveries()
    raw = (EVENTS / "stored-order.eml").read_bytes()
    cloud.account.client("s3").put_object(Bucket=cloud.outputs["MailBucketName"], Key="inbound/words/1", Body=raw)

    def replies() -> list[Path]:
        return [path for path in cloud.outbox.glob("*.eml") if "You wrote " in path.read_text()]

    assert len(eventually(replies)) == 1
    # The doctor would find mail of no route once this route is gone.
    cloud.account.client("s3").delete_object(Bucket=cloud.outputs["MailBucketName"], Key="inbound/words/1")


def test_a_table_of_passengers_is_answered_with_its_table_beside_one_that_cannot_be_read(
    desk: Desk, tmp_path: Path
) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ann@shop.example", "orders@mailstep.example", "Passengers"
    mail["Message-ID"] = "<passengers@shop.example>"
    mail.set_content("Please see the tables.")
    mail.add_attachment(TITANIC, maintype="text", subtype="csv", filename="titanic.csv")
    mail.add_attachment(b"PK\x03\x04 broken", maintype="application", subtype="octet-stream", filename="broken.xlsx")
    (tmp_path / "passengers.eml").write_bytes(mail.as_bytes())
    [result] = desk.follow([read_message_file(tmp_path / "passengers.eml")], route="orders")
    assert result.outcome == "replied", result
    reply = reply_of(result)
    text = body(reply, "plain")
    assert "4 rows, 12 columns" in text
    assert "- Cabin (text): 1 missing; all different" in text
    assert "not a workbook that can be read" in text
    [cleaned] = [part for part in reply.iter_attachments() if part.get_filename() == "titanic (cleaned).csv"]
    content = cleaned.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert content.decode("utf-8-sig").splitlines()[1] == (
        '"1","0","3","Archer, Mr. Owen","male","22","1","0","A/5 21171","7.25","","S"'
    )
