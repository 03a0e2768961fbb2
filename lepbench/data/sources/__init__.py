"""Corpora, one file each; importing this package fills `SOURCES`."""

from lepbench.data.sources.base import SOURCES, AnySource, Source, select_source
from lepbench.data.sources.coco import Coco
from lepbench.data.sources.emoji import EmojiSource
from lepbench.data.sources.folder import Folder
from lepbench.data.sources.fscoco import FsCocoSource
from lepbench.data.sources.openmoji import OpenMojiSource
from lepbench.data.sources.sketchworld import Sketchworld
from lepbench.data.sources.table import Table
from lepbench.data.sources.webdataset import WebDataset

__all__ = [
    "SOURCES",
    "AnySource",
    "Coco",
    "EmojiSource",
    "Folder",
    "FsCocoSource",
    "OpenMojiSource",
    "Sketchworld",
    "Source",
    "Table",
    "WebDataset",
    "select_source",
]
