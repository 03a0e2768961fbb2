"""Candidates that are left out, and drawings of which a part is: files of JSON lines, and messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from lepbench.config import Config
from lepbench.files import write_text

REJECTED = "rejected.jsonl"
UNSUPPORTED = "unsupported.jsonl"
LONGEST = 120
"""Characters of an example's detail."""


class RejectedCandidate(Config):
    """A line of `rejected.jsonl`: a candidate that is left out, and why."""

    id: str
    reason: str
    detail: str


class UnsupportedParts(Config):
    """A line of `unsupported.jsonl`: how often a drawing has what is not drawn, or not as it should be."""

    id: str
    unsupported: Mapping[str, int]


def write_lines(path: Path, lines: Sequence[Config]) -> None:
    """Write objects as JSON lines; no file where there are none."""
    if lines:
        write_text(path, "".join(line.model_dump_json() + "\n" for line in lines))


def count_reasons(rejects: Sequence[RejectedCandidate]) -> dict[str, int]:
    """Reasons with their numbers, in alphabetical order."""
    return {reason: count for reason, count in sorted(Counter(one.reason for one in rejects).items())}


def describe_rejects(rejects: Sequence[RejectedCandidate]) -> str:
    """Reasons with their numbers, the commonest first and with an example; empty where there are none."""
    counts = Counter(one.reason for one in rejects).most_common()
    parts = [f"{count} {reason}" for reason, count in counts]
    if parts:
        example = next(one for one in rejects if one.reason == counts[0][0])
        detail = f": {example.detail[:LONGEST]}" if example.detail else ""
        parts[0] += f" (such as {example.id}{detail})"
    return ", ".join(parts)


def count_parts(parts: Sequence[UnsupportedParts]) -> dict[str, int]:
    """In how many drawings each thing was met, the commonest first."""
    return dict(Counter(name for part in parts for name in part.unsupported).most_common())
