"""Figures of a record: values with their intervals, which are main ones, and their headings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from lepbench.config import Config
from lepbench.evaluation.figure_names import SINGLE, split_part, split_tolerance, strip_label

MAIN = {
    "faithful_f1": "faithful F1",
    "faithful_paired_f1": "faithful paired F1",
    "faithful_iou": "faithful IoU",
    "stroke_recall": "stroke recall",
    "unseen_recall": "unseen recall",
    "weighted_recall": "weighted recall",
    "others_recall": "others' recall",
    "weighted_lead": "weighted lead",
    "pooled_f1_0px": "pooled F1 0px",
    "edge_f1_1px": "edge F1 1px",
    "edge_f1_2px": "edge F1 2px",
    "paired_f1_2px": "paired F1 2px",
    "edge_f1_1px_contour": "contour F1 1px",
    "mask_iou": "mask IoU",
    "clip_score": "CLIP score",
    "clip_skill": "CLIP skill",
    "sketch_similarity": "sketch similarity",
    "class_accuracy": "class accuracy",
    "reads_sketch": "reads sketch",
    "reads_prompt": "reads prompt",
    "colour_accuracy": "colour accuracy",
    "texture_accuracy": "texture accuracy",
    "pattern_accuracy": "pattern accuracy",
    "background_accuracy": "background accuracy",
    "relation_accuracy": "relation accuracy",
    "fd": "FD",
    "kid": "KID",
    "cmmd": "CMMD",
    "fid": "FID",
    "fid_by_index": "FID by index",
}
"""The main metrics and their headings; a name without tolerance stands for those at each one. Each further
metric that is tested for differences lowers the power of the other tests."""
SHIPPED = "sketchworld-"
"""What the labels of the judges that ship begin with."""
LESSER = ("edge_f1_2px", "paired_f1_2px", "clip_score", "sketch_similarity")
"""Main metrics only where no masks of objects are measured, as on sketchworld, which say more."""


class Figure(Config):
    """A metric of `n` samples, and the bounds of its interval; null if undefined or not published."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int


Figures = dict[str, Figure]


def choose_main_metrics(figures: Iterable[str], submitted: Collection[str] = ()) -> dict[str, str]:
    """The metrics of `MAIN` among figures, then those that are `submitted`, with their headings.

    Of figures by level those of single levels are no main ones: they are many, and the others sum them up.
    """
    main = [name for name in figures if name in submitted or _is_main(*split_part(name))]
    masked = any(strip_label(name) == "mask_iou" for name in main)
    kept = [name for name in main if not (masked and strip_label(name) in LESSER)]
    return head_metrics(sorted(kept, key=place_in_main))


def head_metrics(names: Sequence[str]) -> dict[str, str]:
    """Headings of metrics, in their order, with the judge; without it where the only one is sketchworld's."""
    stems = [split_part(name) for name in names]
    headings = {}
    for name, stem in zip(names, stems, strict=True):
        label = name.partition("@")[2]
        shown = "" if label.startswith(SHIPPED) and stems.count(stem) == 1 else label
        figure, part = stem
        words = [_head_figure(figure), part.replace("_", " ", 1), shown]
        headings[name] = " ".join(word for word in words if word)
    return headings


def find_main(figure: str) -> str | None:
    """The name in `MAIN` of a figure without judge and level; None where it is no main one."""
    return next((name for name in (figure, split_tolerance(figure)[0]) if name in MAIN), None)


def _is_main(figure: str, part: str) -> bool:
    return find_main(figure) is not None and not part.startswith(SINGLE)


def _head_figure(figure: str) -> str:
    name = find_main(figure)
    if name is None:
        return figure
    return MAIN[name] if name == figure else f"{MAIN[name]} {split_tolerance(figure)[1]}"


def place_in_main(metric: str) -> int:
    """The place of a metric among the main ones; behind them where it is none."""
    name = find_main(split_part(metric)[0])
    return len(MAIN) if name is None else list(MAIN).index(name)
