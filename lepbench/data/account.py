"""Bookkeeping of a shard's entries: the rejects, and a hash of all entries as the corpus had them."""

from __future__ import annotations

from dataclasses import dataclass, field

from lepbench.config import Config
from lepbench.data.corpus import CorpusSketch, Original, Reason, Rejected
from lepbench.files import sha256_bytes


class Reject(Config):
    """A line of `rejected.jsonl`."""

    id: str
    reason: Reason
    detail: str


@dataclass
class Account:
    """The part of a record about the entries of a shard; complete after all its rows were read."""

    recipe: str
    state: str = ""
    rejects: list[Reject] = field(default_factory=list)

    def note(self, name: str, found: Original | Rejected, sha256: str | None = None) -> None:
        """Add the next entry of the corpus, with the hash of its image if known."""
        self.state = sha256_bytes(f"{self.state} {describe_entry(name, found, sha256)}".encode())


def describe_entry(name: str, found: Original | Rejected, sha256: str | None = None) -> str:
    """Everything that affects an entry's row or reject, the image by its hash."""
    if isinstance(found, Rejected):
        return repr((name, str(found.reason), found.detail))
    if sha256 is None:
        content = found.picture if isinstance(found.picture, bytes) else found.picture.tobytes()
        sha256 = sha256_bytes(content)
    sketch = (sha256_bytes(found.sketch.content),) if isinstance(found.sketch, CorpusSketch) else ()
    return repr((name, sha256, found.caption, found.licence, *sketch))


def make_reject(name: str, rejected: Rejected) -> Reject:
    """An entry's line among the rejects."""
    return Reject(id=name, reason=rejected.reason, detail=rejected.detail)
