"""Flowed text (RFC 3676): puts the lines of a paragraph, which a mail client wrapped, together again."""

_DELIMITER = "-- "  # of a signature (section 4.3): it ends in a space, and no text follows it in its line


def unflowed(text: str, *, delete_space: bool) -> str:
    """The text with each paragraph on one line, and with a space after the quote marks of a line (section 4.5).

    Args:
        text: with LF line ends, as it was sent.
        delete_space: whether the space that marks a line as flowed is no part of the text (section 4.1, DelSp).
    """
    pieces: list[str] = []
    depth_before, is_open = 0, False
    for line in text.split("\n"):
        written = line.lstrip(">")
        depth = len(line) - len(written)
        # One space was put before a line that begins with one, with ">" or with "From " (section 4.4).
        written = written.removeprefix(" ")
        is_delimiter = written == _DELIMITER
        is_flowed = written.endswith(" ") and not is_delimiter
        if not is_open or depth != depth_before or is_delimiter:
            pieces += ("\n" if pieces else "", ">" * depth, " " if depth and written else "")
        pieces.append(written[:-1] if is_flowed and delete_space else written)
        depth_before, is_open = depth, is_flowed
    return "".join(pieces)
