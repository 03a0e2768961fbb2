"""Whether pictures drawn anew are those that a run stores, and what they cost is what its record says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.ndimage import uniform_filter

from lepbench.errors import LepbenchError
from lepbench.evaluation.condition_runner import Failure
from lepbench.evaluation.cost import Cost
from lepbench.evaluation.measures.divided import divide_counts
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.recount import leave_out_judged
from lepbench.evaluation.sample import OK, Sample
from lepbench.evaluation.score import score_pictures
from lepbench.images import Pixels, open_rgb
from lepbench.judges import Judges


class Bounds(NamedTuple):
    """How far a picture in [0, 1] may be from the stored one.

    Attributes:
        mean: of the absolute differences of all pixels.
        window: of those of any square of `WINDOW` px, the largest.
    """

    mean: float
    window: float


WINDOW = 8
"""Side of the squares, px: wider than a line, so that lines alone cannot be changed much."""
BOUNDS = Bounds(mean=1 / 255, window=8 / 255)
"""On a CPU. By the instructions and the number of threads of the run nothing differs. Otherwise a sampler
amplifies the last bits in some pictures: of 16 items of `lep`, and 8 of `readout` and of `lep` in 50 steps,
by other instructions, the means were at most 0.5/255 and the windows 6.2/255; by two threads, 0.1/255 and
0.7/255."""
BOUNDS_ELSEWHERE = Bounds(mean=2 / 255, window=16 / 255)
"""On other devices, whose models differ more; not measured."""
LEAD, LEAD_OF_ONE = 0.004, 0.06
"""By how much F1 and recall of lines of the stored pictures may exceed those of the pictures drawn anew, on
average over n of them: the first and an nth of the second. Measured as `BOUNDS`: at most 0.003 on average,
and 0.06 of one. Pictures blended into the true ones as far as `BOUNDS` admits lead by 0.09."""
LINES = r"\w+_(f1|recall)_.+"
COST_TOLERANCE = 0.01
"""Relative, of operations: versions of torch count some otherwise. Passes are equal."""


def choose_bounds(device: str) -> Bounds:
    """The bounds of pictures that were drawn on a kind of device."""
    return BOUNDS if device == "cpu" else BOUNDS_ELSEWHERE


def compare_picture(path: Path, drawn: Pixels | Failure, bounds: Bounds) -> tuple[Pixels, Pixels]:
    """The stored picture and the one drawn anew, uint8 [H, W, 3] both.

    Raises:
        LepbenchError: it cannot be drawn, or differs by more than `bounds`.
    """
    if isinstance(drawn, Failure):
        raise LepbenchError(f"{path} cannot be drawn anew: {drawn.reason}", "evaluate again")
    stored = np.asarray(open_rgb(path))
    if stored.shape != drawn.shape:
        raise LepbenchError(f"{path} has not the size of the picture drawn anew", "evaluate again")
    difference = np.abs(stored.astype(np.float64) - drawn).mean(axis=2) / 255
    for found, bound, where in (
        (difference.mean(), bounds.mean, "a pixel"),
        (
            uniform_filter(difference, WINDOW, mode="nearest").max(),
            bounds.window,
            f"a pixel in a square of {WINDOW} px",
        ),
    ):
        if found > bound:
            raise LepbenchError(
                f"{path} differs by {found:.4f} {where} from the picture drawn anew, more than {bound:.4f}",
                "evaluate again",
            )
    return stored, drawn


def compare_lines(
    folder: Path,
    pairs: Sequence[tuple[Pixels, Pixels]],
    samples: Sequence[Sample],
    protocol: Protocol,
) -> float:
    """By how much the stored pictures' lines are better than those drawn anew, at the figure where most.

    Args:
        pairs: a stored picture and one drawn anew of each sample.

    Returns:
        The mean difference of F1 or recall, from -1 to 1; 0 where the protocol measures no lines.

    Raises:
        LepbenchError: it is more than `LEAD` and `LEAD_OF_ONE` allow.
    """
    scored = leave_out_judged(protocol)
    if scored is None or not pairs:
        return 0.0
    stored, drawn = (_score_lines(list(part), samples, scored) for part in zip(*pairs, strict=True))
    leads = (stored - drawn).mean().dropna()
    if leads.empty:
        return 0.0
    name, lead = str(leads.idxmax()), float(leads.max())
    bound = LEAD + LEAD_OF_ONE / len(pairs)
    if lead > bound:
        raise LepbenchError(
            f"{folder} stores pictures of {len(pairs)} samples whose {name} is {lead:.4f} above that of the "
            f"pictures drawn anew, more than {bound:.4f}",
            "evaluate again",
        )
    return lead


def _score_lines(pictures: list[Pixels], samples: Sequence[Sample], protocol: Protocol) -> pd.DataFrame:
    """F1 and recall of lines of each picture, by name."""
    columns = score_pictures(
        np.stack(pictures),
        samples,
        truths=[sample.item for sample in samples],
        judges=Judges({}),
        protocol=protocol,
        embeds=False,
    )
    figures = divide_counts(pd.DataFrame(columns).assign(status=OK)).filter(regex=f"^{LINES}$")
    return figures.astype(np.float64)


def compare_cost(folder: Path, row: str, stated: Cost | None, found: Cost | None) -> None:
    """Refuse a cost that differs from that of the pictures drawn anew; seconds are not compared.

    Raises:
        LepbenchError: it is missing or another, or is stated of pictures that no denoiser of ours draws.
    """
    if stated is None or found is None:
        if stated is not found:
            what = "no cost" if stated is None else "a cost"
            raise LepbenchError(f"{folder}'s record has {what} of {row}", "evaluate again")
        return
    for name in ("passes", "steered_passes", "tflop", "precision", "quantised", "cached"):
        said, true = getattr(stated, name), getattr(found, name)
        if not _is_same(said, true, COST_TOLERANCE if name == "tflop" else 1e-9):
            raise LepbenchError(
                f"{folder}'s record says that a picture of {row} has {name} {said}, drawn anew it has {true}",
                "evaluate again",
            )


def _is_same(first: object, second: object, tolerance: float) -> bool:
    if isinstance(first, float) and isinstance(second, float):
        return math.isclose(first, second, rel_tol=tolerance, abs_tol=1e-12)
    return first == second
