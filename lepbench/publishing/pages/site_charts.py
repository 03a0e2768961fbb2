"""The charts of a board: the trade-off between sketch and caption, and curves of its first models."""

from __future__ import annotations

from lepbench.errors import LepbenchError
from lepbench.publishing.curves import make_level_panels, make_tolerance_panels
from lepbench.publishing.pages.charts import Chart, draw_chart
from lepbench.publishing.pages.report import CURVES
from lepbench.publishing.pages.site_boards import SiteBoard
from lepbench.publishing.plots import Panel
from lepbench.publishing.results import Line
from lepbench.publishing.trade_off import make_front_panel

MOST_LINES = 8
"""Models that find room in a chart of curves; of more, the first."""
MOST_CHARTS = 6


def draw_board_charts(board: SiteBoard) -> list[Chart]:
    """The charts of a board."""
    lines = [Line(line.model, line.figures) for line in board.lines]
    few = lines[:MOST_LINES]
    curves = [*make_level_panels(few, board.levels), *make_tolerance_panels(few, CURVES)]
    panels: list[Panel] = [*_find_front(lines), *curves]
    return [draw_chart(panel) for panel in panels[:MOST_CHARTS]]


def _find_front(lines: list[Line]) -> list[Panel]:
    """The trade-off; none where the board has no two figures for it."""
    try:
        return [make_front_panel(lines)]
    except LepbenchError:
        return []
