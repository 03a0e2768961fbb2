"""Curves of finished runs: figures over the tolerance, and over the level of a suite of variants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lepbench.evaluation.directions import is_of_sets
from lepbench.evaluation.figure_names import AT, split_part, split_tolerance
from lepbench.evaluation.figures import Figure, head_metrics, place_in_main
from lepbench.publishing.plots import Curve, CurvePanel
from lepbench.publishing.results import Line

PIXELS = "px"
Places = dict[str, list[tuple[str, str]]]
"""By a figure, what it is called at each place, and the place."""


def make_tolerance_panels(lines: Sequence[Line], chosen: Sequence[str] = ()) -> list[CurvePanel]:
    """A panel a figure that several tolerances in pixels are known of, a curve a line.

    Args:
        chosen: figures without their tolerance; all unless given.
    """
    found: Places = {}
    for name in lines[0].figures:
        stem, label = split_tolerance(name)
        if label.endswith(PIXELS) and not split_part(name)[1] and not is_of_sets(name):
            found.setdefault(stem, []).append((name, label.removesuffix(PIXELS)))
    return [
        _make_panel(_head_stem(stem), "tolerance, px", lines, places)
        for stem, places in found.items()
        if len(places) > 1 and (not chosen or stem in chosen)
    ]


def make_level_panels(
    lines: Sequence[Line], levels: Sequence[str], chosen: Sequence[str] = ()
) -> list[CurvePanel]:
    """A panel a figure that is given by level, the main ones first, a curve a line.

    Args:
        levels: of the suite, in order.
        chosen: figures without judge and level; all unless given.
    """
    found: Places = {}
    for name in lines[0].figures:
        figure, part = split_part(name)
        level = part.removeprefix(AT)
        if part.startswith(AT) and level in levels:
            found.setdefault(figure, []).append((name, level))
    ordered = sorted((name for name in found if not chosen or name in chosen), key=place_in_main)
    headings = head_metrics(ordered)
    return [_make_panel(headings[stem], "level", lines, found[stem]) for stem in ordered]


def _head_stem(stem: str) -> str:
    """What a figure without its tolerance is called, such as `edge F1`."""
    return stem.replace("_", " ").replace("f1", "F1")


def _make_panel(
    heading: str, along: str, lines: Sequence[Line], places: Sequence[tuple[str, str]]
) -> CurvePanel:
    numbers = _read_numbers(label for _, label in places)
    ticks = [] if numbers else [label for _, label in places]
    spots = numbers or [float(place) for place in range(len(ticks))]
    curves = [
        Curve(line.name, spots, [_find(line.figures, name) for name, _ in places])
        for line in lines
        if any(_find(line.figures, name).value is not None for name, _ in places)
    ]
    return CurvePanel(heading, (along, ""), curves, ticks)


def _find(figures: Mapping[str, Figure], name: str) -> Figure:
    return figures.get(name, Figure(value=None, n=0))


def _read_numbers(labels: Iterable[str]) -> list[float]:
    try:
        return [float(label) for label in labels]
    except ValueError:
        return []
