"""Locks of files, by which one process at a time writes a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from lepbench.errors import LepbenchError
from lepbench.files import make_folder

LOCK = ".lock"


@contextmanager
def hold_lock(lock: FileLock, taken: str, fix: str) -> Iterator[None]:
    """Hold a lock that no other process holds, or that it gives back within the lock's own time.

    Args:
        taken: what to say where another holds it.

    Raises:
        LepbenchError: another does, or the file cannot be written.
    """
    try:
        lock.acquire()
    except Timeout:
        raise LepbenchError(taken, fix) from None
    except OSError as error:
        place = Path(lock.lock_file).parent
        raise LepbenchError(f"cannot write {place}: {error.strerror}", "choose a writable folder") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def lock_results(out: Path) -> Iterator[None]:
    """Hold a folder of results for this process.

    The file of the lock stays where the block raises, and goes with a finished one.

    Raises:
        LepbenchError: it cannot be written, or another process holds it.
    """
    make_folder(out)
    lock = FileLock(out / LOCK, timeout=0)
    with hold_lock(lock, f"another process is writing {out}", "wait for it, or choose another --out"):
        yield
        (out / LOCK).unlink(missing_ok=True)
