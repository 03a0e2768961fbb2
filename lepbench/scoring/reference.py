"""The set that a generated one is compared with, where it is kept as features."""

from __future__ import annotations

from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.files import sha256_file
from lepbench.judges import JudgeConfig, JudgeStatistics
from lepbench.judges.provenance import describe_judge, hash_judge, read_digests
from lepbench.scoring.extractors import Extractor
from lepbench.scoring.feature_job import SUFFIX
from lepbench.scoring.features import PictureSet
from lepbench.scoring.statistics import LISTING, read_statistics


def is_statistics(folder: Path) -> bool:
    """Whether a folder is one of `lepbench statistics make`."""
    return (folder / LISTING).is_file()


def read_extracted(folder: Path, extractor: Extractor) -> PictureSet:
    """The features that the network of an extractor gave.

    Raises:
        LepbenchError: there are none by it.
    """
    if extractor.judge is None:
        raise LepbenchError(
            f"{folder} holds features of judges, and {extractor.name} is none", "give a folder of pictures"
        )
    return read_judged(folder, extractor.judge, extractor.name)


def read_judged(folder: Path, judge: JudgeConfig, name: str) -> PictureSet:
    """The features that a judge gave, whatever they are labelled there.

    Args:
        name: what an error calls the judge.

    Raises:
        LepbenchError: there are none by it, or the file is not the one listed.
    """
    wanted, listing = hash_judge(describe_judge(judge)), read_statistics(folder)
    label = next((label for label, one in listing.judges.items() if one.judge_sha256 == wanted), None)
    if label is None:
        raise LepbenchError(
            f"{folder} holds features by {', '.join(listing.judges)} and none by {name} as it is set here",
            "run 'lepbench statistics make' with that judge, or give a folder of pictures",
        )
    path = folder / f"{label}{SUFFIX}"
    if not path.is_file() or sha256_file(path) != listing.judges[label].file_sha256:
        raise LepbenchError(f"{path} is missing or not the file that {LISTING} lists", "make it again")
    features = JudgeStatistics.load(path).features
    return PictureSet(features, [row.tobytes().hex() for row in read_digests(path)])
