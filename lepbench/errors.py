"""The one exception a user may see: a single line saying what is wrong, where, and what to do."""

from __future__ import annotations


class LepbenchError(Exception):
    """Bad input or environment, reported in one line; the command line prints it and exits with code 2.

    Args:
        what: what is wrong, naming the file, key or value.
        fix: what the reader can do about it; may be empty where `what` already says so.
    """

    exit_code = 2

    def __init__(self, what: str, fix: str = "") -> None:
        message = f"{what}; {fix}" if fix else what
        super().__init__(" ".join(message.split()))
