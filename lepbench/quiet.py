"""How much is said beside results: our bars and notes, and the bars and warnings of other libraries."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from enum import IntEnum
from typing import Any, Literal

LIBRARIES = ("diffusers", "transformers")


class Level(IntEnum):
    """How much is said."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


_level: ContextVar[Level] = ContextVar("level", default=Level.NORMAL)


def find_level() -> Level:
    """How much is to be said here."""
    return _level.get()


@contextmanager
def saying(level: Level) -> Iterator[None]:
    """A block in which so much is said. QUIET: no bars, notes, warnings; VERBOSE: those of libraries, too."""
    before = _level.set(level)
    try:
        with warnings.catch_warnings():
            if level is Level.QUIET:
                warnings.simplefilter("ignore")
            yield
    finally:
        _level.reset(before)


def import_bars() -> None:
    """Import the bars of other libraries without the advice that notebooks without widgets are given."""
    with warnings.catch_warnings(), suppress(ImportError):
        warnings.simplefilter("ignore")
        importlib.import_module("tqdm.auto")


@contextmanager
def silence_libraries(*names: Literal["diffusers", "transformers"]) -> Iterator[None]:
    """A block in which diffusers and transformers show no bars and no warnings.

    Args:
        names: the libraries that the block uses, both unless given; diffusers takes seconds to import.
    """
    if find_level() is Level.VERBOSE:
        yield
        return
    logs: list[Any] = [importlib.import_module(f"{name}.utils.logging") for name in names or LIBRARIES]
    levels = [log.get_verbosity() for log in logs]
    bars = [log for log in logs if log.is_progress_bar_enabled()]
    for log in logs:
        log.set_verbosity_error()
        log.disable_progress_bar()
    try:
        yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.set_verbosity(level)
        for log in bars:
            log.enable_progress_bar()
