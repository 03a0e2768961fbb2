"""Corpora, one file each; importing this package fills `SOURCES`."""

from lepbench.data.sources.base import SOURCES, AnySource, Source, source_from
from lepbench.data.sources.coco import Coco
from lepbench.data.sources.folder import Folder
from lepbench.data.sources.fscoco import FSCOCO
from lepbench.data.sources.sketchworld import Sketchworld
from lepbench.data.sources.table import Table
from lepbench.data.sources.webdataset import WebDataset

__all__ = [
    "FSCOCO",
    "SOURCES",
    "AnySource",
    "Coco",
    "Folder",
    "Sketchworld",
    "Source",
    "Table",
    "WebDataset",
    "source_from",
]
