"""Names of figures at a tolerance, such as `edge_f1_2px` and `stroke_recall_0.0111d`."""

from __future__ import annotations

import re

NAMED = re.compile(r"(?P<name>.+)_(?P<label>\d+(\.\d+)?(px|d))")


def split_tolerance(figure: str) -> tuple[str, str]:
    """A figure's name without its tolerance, and what the tolerance is called; empty where it has none.

    Args:
        figure: without judge and level.
    """
    match = NAMED.fullmatch(figure)
    return (match["name"], match["label"]) if match else (figure, "")
