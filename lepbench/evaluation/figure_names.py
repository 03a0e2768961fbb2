"""Names of figures: `kid@JUDGE`, `edge_f1_2px`, `mask_iou_slope@JUDGE`."""

from __future__ import annotations

import re

PARTS = re.compile(r"(?P<figure>.+?)_(?P<part>(at|change)_[\w.+-]+|slope|spread)")
"""Names of figures by level, without the judge."""
SPREAD = "spread"
"""The part that is better when small, whatever the figure."""
AT = "at_"
"""What begins the part of a name that is a figure's mean at one level."""
SINGLE = (AT, "change_")
"""What begins the part of a name that is the figure of one level."""
NAMED = re.compile(r"(?P<name>.+)_(?P<label>\d+(\.\d+)?(px|d))")


def label_figure(name: str, label: str) -> str:
    """A figure by a judge, such as `kid@dinov2-l14`."""
    return f"{name}@{label}"


def strip_label(figure: str) -> str:
    """A figure's name without the judge."""
    return figure.partition("@")[0]


def name_part(figure: str, part: str) -> str:
    """A figure by level, such as `mask_iou_slope@JUDGE`."""
    name, at, label = figure.partition("@")
    return f"{name}_{part}{at}{label}"


def split_part(name: str) -> tuple[str, str]:
    """The figure, without its judge, that one by level is made of, and the part; empty where it is none."""
    match = PARTS.fullmatch(strip_label(name))
    return (match["figure"], match["part"]) if match else (strip_label(name), "")


def split_tolerance(figure: str) -> tuple[str, str]:
    """A figure's name without its tolerance, and what the tolerance is called; empty where it has none.

    Args:
        figure: without judge and level.
    """
    match = NAMED.fullmatch(figure)
    return (match["name"], match["label"]) if match else (figure, "")
