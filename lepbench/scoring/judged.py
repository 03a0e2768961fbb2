"""Two sets of pictures compared by several judges in one reading."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lepbench.judges import JudgeConfig
from lepbench.metrics.coverage import NEIGHBOURS, bootstrap_coverage, density, reference
from lepbench.metrics.statistics import Interval, bootstrap
from lepbench.progress import Progress
from lepbench.scoring.extractors import Extractor
from lepbench.scoring.feature_job import load_embeds
from lepbench.scoring.features import Pictures, PictureSet, embed_pictures, find_pictures, take_label
from lepbench.scoring.images import ImageScores, compare_sets
from lepbench.scoring.reference import is_statistics, read_judged
from lepbench.scoring.statistics import select_featuring


class JudgedScores(NamedTuple):
    """The figures by one judge.

    Attributes:
        judge: its settings.
        distances: see `ImageScores`.
        density, coverage: with 95 % intervals; None where the reference has too few pictures.
    """

    judge: JudgeConfig
    distances: ImageScores
    density: Interval | None
    coverage: Interval | None


def score_by_judges(
    generated: Path, reference_folder: Path, judges: Sequence[JudgeConfig], *, device: str, progress: Progress
) -> list[JudgedScores]:
    """Compare two sets by every judge that gives features.

    Args:
        reference_folder: of pictures, or of `lepbench statistics make`.
        progress: called with (stage, done, total).

    Raises:
        LepbenchError: see `score_images`, or no judge gives features.
    """
    featuring = [judge.pin() for judge in select_featuring(judges)]
    # Before any network is loaded, being the quickest to be found missing.
    known = (
        {judge.label: read_judged(reference_folder, judge, repr(judge.label)) for judge in featuring}
        if is_statistics(reference_folder)
        else None
    )
    sets = {
        folder: Pictures.of_files(str(folder), find_pictures(folder))
        for folder in (generated, *([] if known else [reference_folder]))
    }
    embeds, _ = load_embeds(featuring, device)
    found = {
        folder: embed_pictures(pictures, embeds, range(pictures.count), progress)
        for folder, pictures in sets.items()
    }
    scores = []
    for judge in featuring:
        x = take_label(found[generated], judge.label)
        y = known[judge.label] if known else take_label(found[reference_folder], judge.label)
        extractor = Extractor(judge.label, embeds[judge.label], judge.unit, judge=judge, label=judge.label)
        scores.append(JudgedScores(judge, compare_sets(x, y, extractor, progress), *_measure_coverage(x, y)))
    return scores


def _measure_coverage(x: PictureSet, y: PictureSet) -> tuple[Interval | None, Interval | None]:
    """Density and coverage with their intervals over the generated pictures."""
    if len(y.features) <= NEIGHBOURS:
        return None, None
    known = reference(y.features)
    near = bootstrap(density(x.features, known), seed=0)
    return near.interval(), bootstrap_coverage(x.features, known, seed=0).interval()
