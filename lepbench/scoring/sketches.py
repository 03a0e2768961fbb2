"""Scores of a folder of generated pictures against the sketches that they were drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from lepbench.detectors import Canny, Detector, NetworkDetector, apply_detector
from lepbench.errors import LepbenchError
from lepbench.images import format_size, open_rgb, to_tensor
from lepbench.metrics.chamfer import chamfer_distance
from lepbench.metrics.edges import edge_counts, pixels_of, precision_recall_f1
from lepbench.metrics.statistics import Interval, bootstrap
from lepbench.metrics.strokes import stroke_recall
from lepbench.progress import Progress
from lepbench.scoring.pool import run_each
from lepbench.scoring.prompts import Prompt, find_prompts
from lepbench.scoring.sketch_files import SKETCHES, FittedSketch, Size, read_sketch_at
from lepbench.threads import set_one_thread

KINDS = ("f1", "precision", "recall")
LEAST = 16
"""Px of a picture's shorter side that every detector takes, as of a suite's."""


@dataclass(frozen=True)
class SketchRules:
    """How pictures are compared with sketches; the names of the figures say the rest.

    Attributes:
        detector: whose edges of a picture are compared with the sketch.
        tolerances: in px.
        share: a further tolerance, as a share of the picture's diagonal.
        stroke_tolerance: within which a pixel of a stroke is found, px.
        thin: redraw thick strokes as thin lines.
        device: of network detectors.
    """

    detector: Detector = field(default_factory=lambda: Canny(low=0.3, high=0.6))
    tolerances: tuple[int, ...] = (0, 1, 2, 3)
    share: float = 0.0075
    stroke_tolerance: int = 2
    thin: bool = True
    device: str = "cpu"

    @property
    def figures(self) -> list[str]:
        """The names of the figures, in the order of the columns."""
        labels = [*(f"{t}px" for t in self.tolerances), f"{self.share:g}d"]
        edges = [f"edge_{kind}_{label}" for kind in KINDS for label in labels]
        strokes = [f"{name}_{self.stroke_tolerance}px" for name in ("stroke_recall", "strokes_found")]
        return [*edges, "chamfer_px", *strokes]


class MeasuredPrompt(NamedTuple):
    """Of one sketch: a row of figures a picture, float64 [S, K], and how the sketch was read."""

    rows: NDArray[np.float64]
    polarity: str
    thinned: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class SketchScores:
    """Figures and what they are figures of.

    Attributes:
        figures: mean over pictures, with the 95 % interval over sketches, by name; without those that are not
            defined, such as of strokes where every sketch is a raster.
        with_strokes: sketches whose strokes are known apart.
        polarities: how the sketches were read, with how many of each.
        thinned: sketches whose thick strokes were redrawn.
        notes: what is doubtful in the reading of sketches, a line each.
    """

    rules: SketchRules
    sketches: int
    pictures_per_sketch: int
    figures: dict[str, Interval]
    with_strokes: int
    polarities: dict[str, int]
    thinned: int
    notes: tuple[str, ...]


def find_sketches(generated: Path, sketches: Path) -> list[Prompt]:
    """Every sketch with its generated pictures; see `find_prompts`.

    Raises:
        LepbenchError: a folder is missing or empty, or files are missing or too many.
    """
    return find_prompts(generated, sketches, of_references=SKETCHES)


def score_sketches(
    prompts: Sequence[Prompt], rules: SketchRules, progress: Progress, workers: int | None = None
) -> SketchScores:
    """Score every picture against its sketch, several sketches at a time.

    Args:
        prompts: of `find_sketches`.
        progress: called with (stage, done, total).
        workers: processes; None for one a processor, and for one where a network runs on a GPU.

    Raises:
        LepbenchError: a file cannot be read, or a sketch has no strokes.
    """
    on_gpu = isinstance(rules.detector, NetworkDetector) and rules.device != "cpu"
    measured = run_each(
        partial(measure_sketch, rules=rules),
        prompts,
        "sketches",
        progress=progress,
        workers=workers or (1 if on_gpu else None),
        prepare=set_one_thread,
    )
    polarities = [one.polarity for one in measured]
    recalls = np.stack([one.rows[:, rules.figures.index(_strokes(rules))] for one in measured])
    return SketchScores(
        rules=rules,
        sketches=len(prompts),
        pictures_per_sketch=len(prompts[0].generated),
        figures=summarise(rules.figures, [one.rows for one in measured]),
        with_strokes=int(np.isfinite(recalls).any(axis=1).sum()),
        polarities={name: polarities.count(name) for name in sorted(set(polarities))},
        thinned=sum(one.thinned for one in measured),
        notes=tuple(dict.fromkeys(note for one in measured for note in one.notes)),
    )


def summarise(names: Sequence[str], rows: Sequence[NDArray[np.float64]]) -> dict[str, Interval]:
    """The mean of every column over the pictures where it is defined, with its interval over sketches.

    Args:
        rows: float64 [S, K] a sketch.
    """
    table = np.concatenate(rows)
    sketches = np.repeat(np.arange(len(rows)), [len(one) for one in rows])
    defined = np.isfinite(table)
    return {
        name: bootstrap(table[known, column], sketches[known], seed=0).interval()
        for column, name in enumerate(names)
        if (known := defined[:, column]).any()
    }


def measure_sketch(prompt: Prompt, rules: SketchRules) -> MeasuredPrompt:
    """The rows of one sketch.

    Raises:
        LepbenchError: see `score_sketches`.
    """
    fitted: dict[Size, FittedSketch] = {}
    rows = []
    for path in prompt.generated:
        pixels = np.asarray(open_rgb(path))
        size = (pixels.shape[0], pixels.shape[1])
        if min(size) < LEAST:
            raise LepbenchError(
                f"{path} is {format_size(size)} px", f"edges need pictures of {LEAST} px a side or more"
            )
        if size not in fitted:
            fitted[size] = read_sketch_at(prompt.reference, size, thin=rules.thin)
        edges = apply_detector(rules.detector, to_tensor(pixels)[None].to(rules.device))[0].cpu().numpy()
        rows.append(measure_edges(edges, fitted[size], rules))
    every = tuple(fitted.values())
    notes = tuple(note for one in every for note in one.notes)
    return MeasuredPrompt(np.stack(rows), every[0].polarity, any(one.thinned for one in every), notes)


def measure_edges(edges: NDArray[np.bool_], sketch: FittedSketch, rules: SketchRules) -> NDArray[np.float64]:
    """The figures of one picture, float64 [K], NaN where one is not defined.

    Args:
        edges: of the picture, bool [H, W].
    """
    found, target = torch.from_numpy(edges)[None], torch.from_numpy(sketch.strokes)[None]
    distances = [*map(float, rules.tolerances), pixels_of(rules.share, edges.shape)]
    scores = precision_recall_f1(edge_counts(found, target, distances))
    kinds = [getattr(scores, kind)[0] for kind in KINDS]
    strokes = np.full(2, np.nan)
    if sketch.numbers is not None:
        recall = stroke_recall(found, torch.from_numpy(sketch.numbers)[None], rules.stroke_tolerance)
        strokes = np.concatenate(recall)
    return np.concatenate([*kinds, chamfer_distance(found, target), strokes])


def _strokes(rules: SketchRules) -> str:
    return f"stroke_recall_{rules.stroke_tolerance}px"
