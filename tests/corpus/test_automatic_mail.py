"""No message of the corpus that a person wrote is refused as automatic mail: each one that is was read and judged."""

from pathlib import Path

from mailstep.validate.automatic_mail import automatic_mail
from mailstep_cli.message_files import parse_file

WRITTEN_BY_MACHINES = {
    "cpython/messages/msg_05.txt": "multipart/report: a delivery report",
    "cpython/messages/msg_43.txt": "multipart/report: a filter says that it held a file back",
    "enmime/messages/dsn/testdata/dsn_with_multipart_alternative.raw": "a delivery report of Exchange",
    "flanker/messages/messages/bounce/delayed.eml": "a delivery report",
    "flanker/messages/messages/bounce/mailbox-full.eml": "a delivery report",
    "flanker/messages/messages/bounce/no-mx.eml": "a delivery report",
    "flanker/messages/messages/bounce/office365.eml": "a delivery report",
    "flanker/messages/messages/bounce/zed.eml": "a delivery report",
    "flanker/messages/messages/disposition-notification.eml": "a receipt (RFC 8098)",
    "mikel-mail/messages/emails/mime_emails/raw_email_with_mimepart_without_content_type.eml": "a delivery report",
    "mikel-mail/messages/emails/multipart_report_emails/multi_address_bounce1.eml": "a delivery report",
    "mikel-mail/messages/emails/multipart_report_emails/multi_address_bounce2.eml": "a delivery report",
    "mikel-mail/messages/emails/multipart_report_emails/report_422.eml": "a delivery report",
    "mimekit/messages/messages/delivery-status-multiple-blank-lines.txt": "a delivery report",
    "mimekit/messages/messages/delivery-status.anonymized.eml": "a delivery report",
    "mimekit/messages/messages/disposition-notification.anonymized.eml": "a receipt",
    "mimekit/messages/messages/disposition-notification.txt": "a receipt",
    "nodemailer-mailparser/messages/test/fixtures/delivery-status.eml": "a delivery report of SES",
    "php-mime-mail-parser/messages/failure.eml": "a delivery report",
    "postal-mime/messages/bounce.eml": "a delivery report",
}


def test_of_the_corpus_only_what_machines_wrote_is_refused(corpus: Path) -> None:
    refused = set()
    for path in sorted(path for path in corpus.glob("*/messages/**/*") if path.is_file() and path.stat().st_size):
        found = automatic_mail(parse_file(path))
        if found and found.is_response:
            refused.add(str(path.relative_to(corpus)))
    # Sisimai collects nothing but delivery reports, feedback reports and absence notices.
    sisimai = {name for name in refused if name.startswith("sisimai/")}
    assert len(sisimai) > 150
    assert refused - sisimai == WRITTEN_BY_MACHINES.keys()
