"""The values of header fields (RFC 5322 section 3): a raw value is unfolded, then read by what its field holds."""

from mailstep.mime.fields.address import Address, parse_addresses
from mailstep.mime.fields.comments import without_comments
from mailstep.mime.fields.date import parse_date
from mailstep.mime.fields.encoded_word import decode_words
from mailstep.mime.fields.message_id import parse_message_ids
from mailstep.mime.fields.parameters import Parameters, parse_parameters
from mailstep.mime.fields.unstructured import parse_unstructured, unfold

__all__ = [
    "Address",
    "Parameters",
    "decode_words",
    "parse_addresses",
    "parse_date",
    "parse_message_ids",
    "parse_parameters",
    "parse_unstructured",
    "unfold",
    "without_comments",
]
