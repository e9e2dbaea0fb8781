"""Octets to text: the WHATWG Encoding Standard's labels and decoders, those that mail adds, and a guess."""

from mailstep.mime.charsets.decoding import Decoded, decode, hints_in
from mailstep.mime.charsets.labels import charset_of

__all__ = ["Decoded", "charset_of", "decode", "hints_in"]
