"""Locks of an output folder, for one build or several that share its shards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from lepbench.errors import LepbenchError
from lepbench.files import make_folder

WHOLE = ".lock"
GATE_S = 30.0
"""Seconds to wait for other processes that hold a lock only briefly."""


class Share(NamedTuple):
    """The `number`-th of `of` jobs, from 1, each making every `of`-th shard of one folder."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def takes(self, shard: int) -> bool:
        """Whether the shard of this number, from 0, belongs to this share."""
        return shard % self.of == self.number - 1


def parse_share(text: str) -> Share:
    """`3/8` as a share.

    Raises:
        LepbenchError: it is none.
    """
    number, _, of = text.partition("/")
    if number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of):
        return Share(int(number), int(of))
    raise LepbenchError(f"--shards {text!r} is no share", "write 1/8 to 8/8 for eight jobs")


@contextmanager
def lock_folder(out: Path, share: Share | None = None) -> Iterator[None]:
    """Hold the folder for this process, alone or for its share.

    A complete build holds the main lock and requires all share locks to be free. A share holds its own lock,
    and the main lock only while acquiring it.

    Raises:
        LepbenchError: it cannot be written, or another build holds it.
    """
    make_folder(out)
    gate = FileLock(out / WHOLE, timeout=0 if share is None else GATE_S)
    with _held(gate, out):
        if share is None:
            for other in sorted(out.glob(f"{WHOLE}-*")):
                with _held(FileLock(other, timeout=0), out):
                    other.unlink()
            yield
            return
        own = FileLock(out / f"{WHOLE}-{share.number}-of-{share.of}", timeout=0)
        with _held(own, out):
            gate.release()
            yield


@contextmanager
def hold_gate(out: Path, share: Share | None = None) -> Iterator[None]:
    """Prevent other shares from starting at the same time; a complete build holds this lock already.

    Raises:
        LepbenchError: timeout.
    """
    if share is None:
        yield
        return
    with _held(FileLock(out / WHOLE, timeout=GATE_S), out):
        yield


@contextmanager
def _held(lock: FileLock, out: Path) -> Iterator[None]:
    try:
        lock.acquire()
    except Timeout:
        raise LepbenchError(
            f"another build is writing {out}", "wait for it, or choose another --out"
        ) from None
    except OSError as error:
        raise LepbenchError(f"cannot write {out}: {error.strerror}", "choose a writable folder") from error
    try:
        yield
    finally:
        lock.release()
