"""The source of a suite from what a person asks for: a corpus by name, a path, options and settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lepbench.errors import LepbenchError
from lepbench.faults import explain
from lepbench.registry import suggest_entry
from lepbench.sketches import SKETCHES
from lepbench.suite_sources.base import SUITE_SOURCES, SuiteSource
from lepbench.suite_sources.drawings import Drawings

OPTIONS = ("items", "size", "seed", "detector", "device", "exclude", "prompt", "secret")
"""Of `lepbench suite make`, beside the suite's name and the corpus's settings."""


def make_suite_source(
    corpus: str, path: Path | None, options: Mapping[str, Any], settings: Mapping[str, Any]
) -> SuiteSource:
    """The source of a name, at a path, with options and settings.

    Args:
        options: of `OPTIONS`, those that are given.
        settings: of the corpus.

    Raises:
        LepbenchError: there is none of that name, it does not take an option, or a setting does not fit.
    """
    kind = find_source(corpus)
    for key in settings:
        if key in ("name", "path", *OPTIONS):
            fix = f"give --{key}" if key in OPTIONS else "give CORPUS and PATH"
            raise LepbenchError(f"--set {key} is no setting of {corpus}", fix)
    for key in options:
        if key not in kind.model_fields:
            raise LepbenchError(f"{corpus} takes no --{key}", "leave it out")
    if "secret" in kind.model_fields and "secret" not in options:
        raise LepbenchError(f"{corpus} needs --secret", "name a file, which is made where there is none")
    if path is None and kind.needs_path(corpus):
        raise LepbenchError(f"{corpus} needs a PATH", "give its file or folder")
    try:
        return kind.from_request(corpus, path, options, settings)
    except ValidationError as error:
        raise LepbenchError(f"{corpus}: {explain(error, kind)}") from error


def find_source(corpus: str) -> type[SuiteSource]:
    """The kind of source that has a name: a registered one, or any sketch corpus.

    Raises:
        LepbenchError: there is none; the message suggests the nearest.
    """
    if corpus in SUITE_SOURCES:
        return SUITE_SOURCES.get(corpus)
    if corpus in SKETCHES:
        return Drawings
    raise LepbenchError(f"unknown corpus {corpus!r}", suggest_entry(corpus, {*SUITE_SOURCES, *SKETCHES}))
