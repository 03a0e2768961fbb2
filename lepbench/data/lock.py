"""Locks of an output folder, for one build or several that share its shards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from filelock import FileLock

from lepbench.files import make_folder
from lepbench.locks import LOCK, hold_lock
from lepbench.shares import Share

GATE_S = 30.0
"""Seconds to wait for other processes that hold a lock only briefly."""


@contextmanager
def lock_folder(out: Path, share: Share | None = None) -> Iterator[None]:
    """Hold the folder for this process, alone or for its share.

    A complete build holds the main lock and requires all share locks to be free. A share holds its own lock,
    and the main lock only while acquiring it.

    Raises:
        LepbenchError: it cannot be written, or another build holds it.
    """
    make_folder(out)
    gate = FileLock(out / LOCK, timeout=0 if share is None else GATE_S)
    with _held(gate, out):
        if share is None:
            for other in sorted(out.glob(f"{LOCK}-*")):
                with _held(FileLock(other, timeout=0), out):
                    other.unlink()
            yield
            return
        own = FileLock(out / f"{LOCK}-{share.number}-of-{share.of}", timeout=0)
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
    with _held(FileLock(out / LOCK, timeout=GATE_S), out):
        yield


def _held(lock: FileLock, out: Path) -> AbstractContextManager[None]:
    return hold_lock(lock, f"another build is writing {out}", "wait for it, or choose another --out")
