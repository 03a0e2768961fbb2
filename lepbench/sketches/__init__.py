"""Corpora of drawings with their strokes, one file each; importing this package fills `SKETCHES`."""

from lepbench.sketches.base import SKETCHES, Drawing, Fault, Name, Sketchbook, SketchCorpus, Unusable
from lepbench.sketches.fscoco import FsCocoCorpus
from lepbench.sketches.openmoji import OpenMoji
from lepbench.sketches.quickdraw import QuickDraw
from lepbench.sketches.svg import Svg

__all__ = [
    "SKETCHES",
    "Drawing",
    "Fault",
    "FsCocoCorpus",
    "Name",
    "OpenMoji",
    "QuickDraw",
    "SketchCorpus",
    "Sketchbook",
    "Svg",
    "Unusable",
]
