"""Whether code that a configuration or an option names may run: asked once, and remembered by its hash."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.files import as_text, find_cache_folder, sha256_file, write_text

TRUSTED = "trusted-code.txt"
"""In the cache folder: a line for every file that may run, its SHA-256 and its path as JSON."""
TRUST = "LEPBENCH_TRUST_CODE"
"""The variable that says what `--trust-code` says."""

_given: ContextVar[bool] = ContextVar("code is trusted", default=False)


@contextmanager
def trusting_code(given: bool = True) -> Iterator[None]:
    """A block in which code runs that has not run before, if that is `given`."""
    token = _given.set(given or _given.get())
    try:
        yield
    finally:
        _given.reset(token)


def is_trusting() -> bool:
    """Whether code that has not run before may run here."""
    return _given.get() or os.environ.get(TRUST, "") not in ("", "0")


def require_trust(asker: str, files: Sequence[Path]) -> None:
    """Refuse to run files that have not been trusted; those that are trusted now are remembered.

    Args:
        asker: what names them, for the message.
        files: all that would run.

    Raises:
        LepbenchError: one is new or has changed, and no one said that it may run.
    """
    lines = {path: _make_line(path) for path in files}
    known = _read()
    new = [path for path, line in lines.items() if line not in known]
    if not new:
        return
    if not is_trusting():
        raise LepbenchError(
            f"{asker} would run {new[0]}, which is new here or has changed",
            "read it, then add --trust-code once (in Python: evaluate(..., trust_code=True))",
        )
    _write([*known, *(lines[path] for path in new)])


def _make_line(path: Path) -> str:
    """A file's line: what it holds and where it lies, since what it imports lies beside it."""
    return json.dumps([sha256_file(path), as_text(str(path.resolve()))])


def _read() -> list[str]:
    try:
        # JSON escapes every character that ends a line.
        return (find_cache_folder() / TRUSTED).read_text(encoding="ascii").split("\n")[:-1]
    except (OSError, UnicodeDecodeError):
        return []


def _write(lines: Sequence[str]) -> None:
    try:
        write_text(find_cache_folder() / TRUSTED, "".join(f"{line}\n" for line in lines))
    except LepbenchError:
        # Where nothing can be remembered, the flag is asked for again.
        return
