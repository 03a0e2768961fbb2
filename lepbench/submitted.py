"""Code from outside this package: where it is defined, its SHA-256, and its faults in one line."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from lepbench.errors import LepbenchError
from lepbench.files import sha256_bytes, sha256_file

OURS = __name__.partition(".")[0]
PACKAGE = Path(__file__).parent
CODE = "code/"
"""What the names of hashes of submitted code begin with."""
UNKNOWN = "unknown"
"""The hash of what Python has no source of."""


def find_module(thing: Any) -> str:
    """The module in which a class or function is defined, or the class of any other object."""
    while isinstance(thing, partial):
        thing = thing.func
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    return getattr(named, "__module__", None) or "__main__"


def is_ours(thing: Any) -> bool:
    """Whether a class, a function, or the class of any other object is defined in this package."""
    return _is_module_ours(find_module(thing))


def _is_module_ours(name: str) -> bool:
    """Whether a module lies in this package, whatever it calls itself."""
    file = find_file(name)
    return name.partition(".")[0] == OURS and file is not None and Path(file).is_relative_to(PACKAGE)


def hash_code(thing: Any) -> dict[str, str]:
    """SHA-256 of the source file of a class or function from outside, by `code/MODULE`; empty for ours.

    What has no file, as in a notebook, is hashed by its own source where Python knows it.
    """
    name = find_module(thing)
    found = hash_module(name)
    return {f"{CODE}{name}": _hash_source(thing)} if UNKNOWN in found.values() else found


def hash_module(name: str) -> dict[str, str]:
    """SHA-256 of the source file of an imported module from outside, by `code/MODULE`; empty for ours."""
    if _is_module_ours(name):
        return {}
    file = find_file(name)
    try:
        digest = sha256_file(Path(file)) if file is not None and Path(file).suffix == ".py" else UNKNOWN
    except OSError:
        digest = UNKNOWN
    return {f"{CODE}{name}": digest}


def hash_file(module: ModuleType) -> dict[str, str]:
    """As `hash_module`, of a module at hand, whatever it calls itself."""
    file = Path(str(module.__file__))
    return {f"{CODE}{module.__spec__.name if module.__spec__ else file.stem}": sha256_file(file)}


def iterate_code(hashes: dict[str, str]) -> Iterator[str]:
    """The modules among the names of a record's hashes."""
    return (name.removeprefix(CODE) for name in hashes if name.startswith(CODE))


@contextmanager
def explain_faults(label: str, *parts: Any, fix: str = "correct it") -> Iterator[None]:
    """Say in one line what code from outside raises; what ours alone raises is left as it is.

    Args:
        label: what failed, for the message.
        parts: the classes or functions that run.

    Raises:
        LepbenchError: one of the parts is from outside, and something was raised.
    """
    try:
        yield
    except (LepbenchError, MemoryError):
        raise
    except Exception as error:  # whatever its author left in it
        if all(is_ours(part) for part in parts):
            raise
        files = [str(find_file(find_module(part))) for part in parts if not is_ours(part)]
        raise LepbenchError(f"{label} failed: {describe_error(error, files)}", fix) from error


def describe_error(error: BaseException, files: Collection[str] = ()) -> str:
    """An exception in one line, with the last place in one of these files that it passed through."""
    said = " ".join(f"{type(error).__name__}: {error}".split())
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files]
    return f"{said} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else said


def find_file(module: str) -> str | None:
    """The file that a module was imported from; None where there is none."""
    return getattr(sys.modules.get(module), "__file__", None)


def _hash_source(thing: Any) -> str:
    while isinstance(thing, partial):
        thing = thing.func
    try:
        source = inspect.getsource(thing if hasattr(thing, "__qualname__") else type(thing))
    except (OSError, TypeError):
        return UNKNOWN
    return sha256_bytes(source.encode())
