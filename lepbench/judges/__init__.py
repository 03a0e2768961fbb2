"""The networks that score pictures, one file a judge; importing this package fills `JUDGES`."""

from lepbench.judges.base import JUDGES, CaptionScorer, JudgeLoader, Judges, LoadedJudge, Matching
from lepbench.judges.classifier import load_classifier
from lepbench.judges.clip import ClipScorer
from lepbench.judges.matcher import load_matcher
from lepbench.judges.segmenter import load_segmenter
from lepbench.judges.statistics import JudgeStatistics

__all__ = [
    "JUDGES",
    "CaptionScorer",
    "ClipScorer",
    "JudgeLoader",
    "JudgeStatistics",
    "Judges",
    "LoadedJudge",
    "Matching",
    "load_classifier",
    "load_matcher",
    "load_segmenter",
]
