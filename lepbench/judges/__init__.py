"""The networks that score pictures, one file a kind; importing this package fills `JUDGES`."""

from lepbench.judges.base import (
    ABILITIES,
    JUDGES,
    Ability,
    AnyJudge,
    CaptionScorer,
    JudgeConfig,
    Judges,
    LoadedJudge,
    Matching,
    load_judge,
    select_judge,
)
from lepbench.judges.classifier import SketchworldClassifierConfig
from lepbench.judges.clip import ClipJudgeConfig, ClipScorer, SketchworldClipConfig, SketchworldGuardConfig
from lepbench.judges.dinov2 import Dinov2JudgeConfig
from lepbench.judges.inception import InceptionJudgeConfig
from lepbench.judges.matcher import SketchworldMatcherConfig
from lepbench.judges.segmenter import SketchworldSegmenterConfig
from lepbench.judges.siglip import SiglipJudgeConfig
from lepbench.judges.statistics import JudgeStatistics
from lepbench.judges.things import SketchworldThingsConfig

__all__ = [
    "ABILITIES",
    "JUDGES",
    "Ability",
    "AnyJudge",
    "CaptionScorer",
    "ClipJudgeConfig",
    "ClipScorer",
    "Dinov2JudgeConfig",
    "InceptionJudgeConfig",
    "JudgeConfig",
    "JudgeStatistics",
    "Judges",
    "LoadedJudge",
    "Matching",
    "SiglipJudgeConfig",
    "SketchworldClassifierConfig",
    "SketchworldClipConfig",
    "SketchworldGuardConfig",
    "SketchworldMatcherConfig",
    "SketchworldSegmenterConfig",
    "SketchworldThingsConfig",
    "load_judge",
    "select_judge",
]
