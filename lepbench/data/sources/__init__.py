"""Corpora, one file each; importing this package fills `SOURCES`."""

from lepbench.data.sources.base import SOURCES, AnySource, Source, source_from
from lepbench.data.sources.folder import Folder
from lepbench.data.sources.sketchworld import Sketchworld

__all__ = ["SOURCES", "AnySource", "Folder", "Sketchworld", "Source", "source_from"]
