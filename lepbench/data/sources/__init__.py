"""Corpora, one file each; importing this package fills `SOURCES`."""

from lepbench.data.sources.base import (
    SOURCES,
    AnySource,
    Corpus,
    Entry,
    Original,
    Reason,
    Rejected,
    Source,
    source_from,
)
from lepbench.data.sources.folder import Folder
from lepbench.data.sources.sketchworld import Sketchworld

__all__ = [
    "SOURCES",
    "AnySource",
    "Corpus",
    "Entry",
    "Folder",
    "Original",
    "Reason",
    "Rejected",
    "Sketchworld",
    "Source",
    "source_from",
]
