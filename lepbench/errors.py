"""The one exception a user may see: a single line saying what is wrong, where, and what to do."""

from __future__ import annotations

LONGEST = 480
"""Characters of a message; what is longer is cut in its middle."""


class LepbenchError(Exception):
    """Bad input or environment, reported in one line; the command line prints it and exits with code 2.

    Whatever a message quotes of a file, it is printable and at most `LONGEST` characters long.

    Args:
        what: what is wrong, naming the file, key or value.
        fix: what the reader can do about it; may be empty where `what` already says so.
    """

    exit_code = 2

    def __init__(self, what: str, fix: str = "") -> None:
        what, fix = make_printable(what), shorten(make_printable(fix), LONGEST // 2)
        super().__init__(f"{shorten(what, LONGEST - len(fix) - 2)}; {fix}" if fix else shorten(what, LONGEST))


def make_printable(text: str) -> str:
    """A text in one line: spaces collapsed, characters that a terminal acts on or cannot show escaped."""
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def shorten(text: str, most: int) -> str:
    """A text of at most `most` characters, its middle left out: both ends say where something is."""
    if len(text) <= most:
        return text
    end = (most - 5) // 2
    return f"{text[:end]} ... {text[-end:]}"
