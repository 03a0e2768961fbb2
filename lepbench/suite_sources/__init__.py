"""Kinds of corpora that suites are made of, one file each; importing this package fills `SUITE_SOURCES`."""

from lepbench.suite_sources.abstraction import FreehandSource
from lepbench.suite_sources.attributes import AttributesSource
from lepbench.suite_sources.base import SUITE_SOURCES, Candidate, Candidates, SuiteItem, SuiteSource
from lepbench.suite_sources.completion import CompletionSource
from lepbench.suite_sources.conflict import ConflictSource
from lepbench.suite_sources.drawings import Drawings
from lepbench.suite_sources.emoji import EmojiSuite
from lepbench.suite_sources.folder import FolderSource
from lepbench.suite_sources.fresh import FreshSource
from lepbench.suite_sources.other_maps import MapsSource
from lepbench.suite_sources.prompt_variants import PromptsSource
from lepbench.suite_sources.robust import RobustSource
from lepbench.suite_sources.stroke_weights import StrokesSource
from lepbench.suite_sources.triplets import TripletsSource
from lepbench.suite_sources.variants import VariantSource
from lepbench.suite_sources.write import MadeSuite, write_suite

__all__ = [
    "SUITE_SOURCES",
    "AttributesSource",
    "Candidate",
    "Candidates",
    "CompletionSource",
    "ConflictSource",
    "Drawings",
    "EmojiSuite",
    "FolderSource",
    "FreehandSource",
    "FreshSource",
    "MadeSuite",
    "MapsSource",
    "PromptsSource",
    "RobustSource",
    "StrokesSource",
    "SuiteItem",
    "SuiteSource",
    "TripletsSource",
    "VariantSource",
    "write_suite",
]
