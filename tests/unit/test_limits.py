"""The limits of the service against what surrounds them: quotas of AWS, file systems, the memory of the functions."""

from samcli.yamlhelper import yaml_parse

from mailstep import limits
from tests.support.project import PROJECT

MIB = 1024 * 1024


def test_every_message_that_ses_receives_is_read_and_not_much_more() -> None:
    """Amazon SES quotas, "Receiving": 40 MB with its header; SES adds a few fields of its own."""
    assert 40 * MIB <= limits.MESSAGE_OCTETS < 41 * MIB


def test_no_reply_is_larger_than_ses_sends() -> None:
    """Amazon SES quotas, "Message quotas": 40 MB, encoded."""
    assert limits.REPLY_OCTETS <= 40 * 10**6


def test_a_name_of_a_file_fits_every_file_system_behind_its_number() -> None:
    """Linux, NTFS and APFS have 255 octets or characters for a name."""
    assert limits.FILENAME + len("9999-") <= 255


def test_the_texts_of_a_message_fit_a_request_to_a_function_of_the_application() -> None:
    """AWS Lambda quotas: 6 MB for the payload of a synchronous invocation. Each text is there as text and as HTML."""
    assert 2 * (limits.TEXT + limits.ENCLOSED_TEXT) < 6 * 10**6


def test_a_request_and_what_api_gateway_adds_fit_a_function_of_the_application() -> None:
    """AWS Lambda quotas: 6 MB. Amazon API Gateway quotas: 10 KB of headers, in the event twice."""
    assert limits.REQUEST_OCTETS + 100_000 < 6 * MIB


def test_what_is_inflated_fits_the_memory_of_the_function() -> None:
    template = yaml_parse((PROJECT / "template.yaml").read_text())
    sizes = template["Globals"]["Function"] | template["Resources"]["ValidateFunction"]["Properties"]
    assert sizes["MemorySize"] * MIB >= 4 * limits.NESTED_ARCHIVE_OCTETS


def test_an_archive_within_an_archive_is_looked_into_but_not_a_deeper_one() -> None:
    assert limits.ARCHIVE_DEPTH == 2


def test_all_attachments_are_read_while_the_function_still_runs() -> None:
    """A built-in processor's time, with some left to write the answer: below the timeout of ProcessFunction."""
    template = yaml_parse((PROJECT / "template.yaml").read_text())
    assert template["Resources"]["ProcessFunction"]["Properties"]["Timeout"] > limits.ATTACHMENTS_SECONDS
