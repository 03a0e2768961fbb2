"""What a figure or a column of a sample can be: the least and the largest value, by name."""

from __future__ import annotations

import math
import re

from lepbench.evaluation.figure_names import AT, split_part, strip_label

Range = tuple[float, float]
ANY: Range = (-math.inf, math.inf)
UNIT: Range = (0, 1)
SIGNED: Range = (-1, 1)
POSITIVE: Range = (0, math.inf)
RANGES: dict[str, Range] = {
    r"(edge|paired|pooled)_(f1|precision|recall)_.+": UNIT,
    r"faithful_(f1|paired_f1|iou)": UNIT,
    r"(stroke|unseen|weighted|others)_recall_.+|strokes_found_.+": UNIT,
    r"weighted_lead_.+": SIGNED,
    r"soft_iou|mask_iou|\w+_accuracy|reads_sketch|reads_prompt|coverage|ms_ssim": UNIT,
    r"clip_similarity|clip_wrong_similarity|sketch_similarity": SIGNED,
    r"clip_score": (0, 100),
    r"chamfer_px|density|vendi": POSITIVE,
    r"diversity": (0, 2),
    # Estimates without bias, of kernels of at most some thousands.
    r"kid": (-10, math.inf),
    r"cmmd": (-100, math.inf),
}
"""By a pattern of the name without judge and level; of others it is known that they are finite."""
ROUNDING = 1e-5
"""By how much a number exceeds its range where a network's last bits, or six digits, round it."""


def find_range(name: str) -> Range:
    """The range of a figure, or of a column that is one."""
    figure, part = split_part(name)
    if part and not part.startswith(AT):
        return ANY
    stem = strip_label(figure)
    return next((found for pattern, found in RANGES.items() if re.fullmatch(pattern, stem)), ANY)


def is_within(value: float, bounds: Range) -> bool:
    """Whether a number lies within bounds, up to rounding; NaN and infinity never do."""
    low, high = bounds
    slack = ROUNDING * max(1.0, *(abs(bound) for bound in bounds if math.isfinite(bound)), 0.0)
    return math.isfinite(value) and low - slack <= value <= high + slack
