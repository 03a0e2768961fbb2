"""Shares of one work among the jobs of an array."""

from __future__ import annotations

from typing import NamedTuple

from lepbench.errors import LepbenchError


class Share(NamedTuple):
    """The `number`-th of `of` jobs, from 1, each doing every `of`-th part of one work."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def takes(self, part: int) -> bool:
        """Whether the part of this number, from 0, belongs to this share."""
        return part % self.of == self.number - 1


def parse_share(text: str) -> Share:
    """`3/8` as a share.

    Raises:
        LepbenchError: it is none.
    """
    number, _, of = text.partition("/")
    if number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of):
        return Share(int(number), int(of))
    raise LepbenchError(f"--shards {text!r} is no share", "write 1/8 to 8/8 for eight jobs")
