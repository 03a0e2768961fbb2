"""A build's configuration from what a person asks for: a source in short, and settings by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lepbench.config import load_config, parse_config
from lepbench.data.config import BuildConfig
from lepbench.data.sources import SOURCES, Source
from lepbench.errors import LepbenchError
from lepbench.registry import suggest_entry

OF_SOURCE = ("split", "start", "licence")
OF_HYGIENE = ("duplicates", "distance", "exclude", "min_edges", "max_edges")

SourceLike = str | Path | Mapping[str, Any] | Source | BuildConfig
"""A corpus by name, a folder, a YAML file, a mapping with `name` and settings, or a configuration."""


def make_build_config(
    source: SourceLike,
    settings: Mapping[str, Any],
    of_source: Mapping[str, Any] | None = None,
    of_detector: Mapping[str, Any] | None = None,
) -> BuildConfig:
    """The configuration that a source and settings together ask for; settings win over a file.

    Args:
        settings: keys of `BuildConfig`, and among them those of `hygiene` and the commonest of a source.
        of_source: more keys of the source.
        of_detector: keys of the detector.

    Raises:
        LepbenchError: the source is nothing known, or a setting does not fit.
    """
    given = dict(settings)
    document = resolve_source(source)
    extra = dict(of_source or {}) | {key: given.pop(key) for key in OF_SOURCE if key in given}
    hygiene = {key: given.pop(key) for key in OF_HYGIENE if key in given}
    if given.get("size") == "original":
        given["size"] = None
    document |= given | {"source": document["source"] | extra}
    if hygiene:
        document["hygiene"] = dict(document.get("hygiene") or {}) | hygiene
    if of_detector:
        detector = document.get("detector", BuildConfig.model_fields["detector"].default.name)
        chosen = {"name": detector} if isinstance(detector, str) else detector
        document["detector"] = chosen | dict(of_detector)
    return parse_config(document, BuildConfig, "")


def resolve_source(source: SourceLike) -> dict[str, Any]:
    """The keys of `BuildConfig` that a source stands for, `source` among them as a mapping.

    Raises:
        LepbenchError: it is no corpus, folder or YAML file.
    """
    if isinstance(source, BuildConfig):
        return source.model_dump(exclude_unset=True)
    if isinstance(source, Source):
        return {"source": source.model_dump(exclude_unset=True) | {"name": source.name}}
    if isinstance(source, Mapping):
        return {"source": dict(source)}
    path = Path(source)
    if str(source) in SOURCES:
        return {"source": {"name": str(source)}}
    if path.is_dir():
        return {"source": {"name": "folder", "path": path}}
    if path.suffix in (".yaml", ".yml"):
        return load_config(path, BuildConfig).model_dump(exclude_unset=True)
    raise LepbenchError(
        f"{str(source)!r} is no corpus, folder or YAML file", suggest_entry(str(source), SOURCES)
    )
