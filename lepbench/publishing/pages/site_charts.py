"""The charts of a board: curves of its models, and the trade-off between sketch and caption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lepbench.errors import LepbenchError
from lepbench.evaluation.explanations import find_aspect
from lepbench.evaluation.figures import Figure, choose_main_metrics, head_metrics
from lepbench.publishing.curves import make_level_panels, make_tolerance_panels
from lepbench.publishing.fronts import Range, find_range, make_front
from lepbench.publishing.pages.charts import Chart, draw_chart
from lepbench.publishing.pages.report import CURVES
from lepbench.publishing.pages.site_boards import SiteBoard
from lepbench.publishing.plots import FrontPanel
from lepbench.publishing.results import Line

MOST_LINES = 8
"""Models that find room in a chart of curves; of more, the first."""
MOST_CHARTS = 6


def draw_board_charts(board: SiteBoard) -> list[Chart]:
    """The charts of a board."""
    lines = [Line(line.model, line.figures) for line in board.lines]
    front = _make_front_panel(lines)
    few = lines[:MOST_LINES]
    curves = [*make_level_panels(few, board.levels), *make_tolerance_panels(few, CURVES)]
    panels = [*([] if front is None else [front]), *curves]
    return [draw_chart(panel) for panel in panels[:MOST_CHARTS]]


def _make_front_panel(lines: Sequence[Line]) -> FrontPanel | None:
    """The first main figure about the sketch against that about the caption, of those with closed ends."""
    found = [_find_figure(lines, aspect) for aspect in ("sketch", "caption")]
    if None in found or len(lines) < 2:
        return None
    (first, ends), (second, other_ends) = (one for one in found if one is not None)
    points = {
        line.name: (x, y)
        for line in lines
        if (x := _read(line.figures, first)) is not None and (y := _read(line.figures, second)) is not None
    }
    titles = head_metrics([first, second])
    front = make_front("front", points, (ends, other_ends))
    return FrontPanel(
        "sketch against caption",
        (titles[first], titles[second]),
        [front],
        front,
        (ends, other_ends),
        {},
        "",
        named=True,
    )


def _find_figure(lines: Sequence[Line], aspect: str) -> tuple[str, Range] | None:
    for name in choose_main_metrics(lines[0].figures):
        if find_aspect(name) == aspect and all(_read(line.figures, name) is not None for line in lines):
            try:
                return name, find_range(name)
            except LepbenchError:
                continue
    return None


def _read(figures: Mapping[str, Figure], name: str) -> float | None:
    figure = figures.get(name)
    return None if figure is None else figure.value
