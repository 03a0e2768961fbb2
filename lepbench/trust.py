"""Whether code that a configuration or an option names may run: asked once, and remembered by its hash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.files import as_text, find_cache_folder, sha256_file, write_text

TRUSTED = "trusted-code.txt"
"""In the cache folder: a line `SHA-256  PATH` for every file that may run."""

_given: ContextVar[bool] = ContextVar("code is trusted", default=False)


@contextmanager
def trusting_code(given: bool = True) -> Iterator[None]:
    """A block in which code runs that has not run before, if that is `given`."""
    token = _given.set(given or _given.get())
    try:
        yield
    finally:
        _given.reset(token)


def require_trust(asker: str, files: Sequence[Path]) -> None:
    """Refuse to run files that have not been trusted; those that are trusted now are remembered.

    Args:
        asker: what names them, for the message.
        files: all that would run.

    Raises:
        LepbenchError: one is new or has changed, and no one said that it may run.
    """
    hashes = {path: sha256_file(path) for path in files}
    known = _read()
    new = [path for path, digest in hashes.items() if digest not in known]
    if not new:
        return
    if not _given.get():
        raise LepbenchError(
            f"{asker} would run {new[0]}, which is new here or has changed",
            "read it, then add --trust-code once (in Python: evaluate(..., trust_code=True))",
        )
    lines = [f"{hashes[path]}  {as_text(str(path.absolute()))}" for path in new]
    _write([*known.values(), *lines])


def _read() -> dict[str, str]:
    """The lines by their hashes."""
    try:
        lines = (find_cache_folder() / TRUSTED).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {line.partition(" ")[0]: line for line in lines}


def _write(lines: Sequence[str]) -> None:
    try:
        write_text(find_cache_folder() / TRUSTED, "".join(f"{line}\n" for line in lines))
    except LepbenchError:
        # Where nothing can be remembered, the flag is asked for again.
        return
