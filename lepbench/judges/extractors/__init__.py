"""Feature extractors by which sets of pictures are compared, one file a network; fills `EXTRACTORS`."""

from lepbench.judges.extractors.base import EXTRACTORS, Extractor, load_extractor
from lepbench.judges.extractors.clip import load_clip
from lepbench.judges.extractors.dinov2 import load_dinov2
from lepbench.judges.extractors.inception import load_torchscript

__all__ = ["EXTRACTORS", "Extractor", "load_clip", "load_dinov2", "load_extractor", "load_torchscript"]
