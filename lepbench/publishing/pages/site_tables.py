"""The tables of the site: columns by aspect, cells with what they are sorted by, and the data of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lepbench.evaluation.compare import Comparison
from lepbench.evaluation.directions import ARROWS, find_direction
from lepbench.evaluation.explanations import ASPECTS, explain_figure, find_aspect
from lepbench.evaluation.figures import Figure, choose_main_metrics, head_metrics
from lepbench.publishing.board_guard import GUARD
from lepbench.publishing.pages.axes import Axis, Bar, make_axis
from lepbench.publishing.pages.ranks import write_ranks
from lepbench.publishing.pages.report_figures import write_interval, write_value
from lepbench.publishing.pages.site_boards import COSTS, SiteBoard, SiteLine

COST = "cost"
GUARDED = {
    "guard_skill_gap": ("skill gap", "CLIP skill by the ranking judge less that by the guard"),
    "guard_skill_gain": ("skill gain", "CLIP skill less that of the unguided pictures"),
    "guard_kid_loss": ("KID loss", "KID to the real pictures by the guard, less that of the unguided ones"),
    "guard_copied": ("copies", "share of pictures as near to the true one as the autoencoder leaves it"),
}
"""What the guard measures, with its heading and what it says; docs/metrics.md has the bounds."""
FIRST_SEEN = ("headline", "caption", "realism", COST)
"""Aspects that a first look shows."""


@dataclass(frozen=True)
class SiteColumn:
    """A column of figures or costs.

    Attributes:
        aspect: what its group is called.
        kind: the group's name in the page.
    """

    name: str
    title: str
    arrow: str
    explained: str
    kind: str
    main: bool


@dataclass(frozen=True)
class SiteCell:
    """A figure: what is read, and what it is sorted by (empty where there is none)."""

    column: SiteColumn
    text: str
    interval: str
    value: str


@dataclass(frozen=True)
class SiteRow:
    """A line of a table."""

    line: SiteLine
    ranks: str
    tied: bool
    first: int
    bar: Bar | None
    cells: Sequence[SiteCell]


@dataclass(frozen=True)
class SiteTable:
    """A board as a table."""

    columns: Sequence[SiteColumn]
    groups: dict[str, str]
    axis: Axis | None
    rows: Sequence[SiteRow]

    @property
    def explanations(self) -> list[tuple[str, str]]:
        """What each figure says, by its title."""
        return [(column.title, column.explained) for column in self.columns if column.explained]


def make_table(board: SiteBoard) -> SiteTable:
    """The table of a board: the figure that ranks first, the others by aspect."""
    columns = _list_columns(board)
    axis = make_axis([line.figures[board.metric] for line in board.lines])
    shown: dict[str, str] = {COST: "Cost", GUARD: "Guard"}
    shown |= {str(kind): title for kind, title in ASPECTS.items()}
    present = {column.kind for column in columns}
    return SiteTable(
        columns,
        {kind: shown[kind] for kind in [*ASPECTS, COST, GUARD] if kind in present},
        axis,
        rows=[_make_row(board, line, columns, axis) for line in board.lines],
    )


def describe_pairs(board: SiteBoard) -> dict[str, Any]:
    """What the page compares any two models by."""
    metrics = _list_known(board)
    main, titles = choose_main_metrics(metrics), head_metrics(metrics)
    chosen = list(dict.fromkeys([board.metric, *main]))
    return {
        "figures": [{"name": name, "title": titles[name], "better": find_direction(name)} for name in chosen],
        "models": {
            line.model: {name: _list_ends(line.figures.get(name)) for name in chosen} for line in board.lines
        },
        "paired": [] if board.comparison is None else _list_differences(board.comparison),
    }


def _list_columns(board: SiteBoard) -> list[SiteColumn]:
    known = _list_known(board)
    main, titles = choose_main_metrics(known), head_metrics(known)
    columns = [
        SiteColumn(
            name,
            titles[name],
            ARROWS[find_direction(name)],
            explained=explain_figure(name),
            kind=find_aspect(name, board.metric),
            main=name in main or name == board.metric,
        )
        for name in known
    ]
    columns.sort(key=lambda column: (list(ASPECTS).index(column.kind), column.name != board.metric))  # type: ignore[arg-type]
    costs = [name for name in COSTS if any(name in line.costs for line in board.lines)]
    guarded = GUARDED if any(line.guard for line in board.lines) else {}
    return [
        *columns,
        *(
            SiteColumn(name, COSTS[name], " ↓", explained="", kind=COST, main=name != "passes")
            for name in costs
        ),
        *(
            SiteColumn(name, title, "", explained=explained, kind=GUARD, main=True)
            for name, (title, explained) in guarded.items()
        ),
    ]


def _list_known(board: SiteBoard) -> list[str]:
    """The figures that some model has."""
    names = board.lines[0].figures
    return [name for name in names if any(line.figures[name].value is not None for line in board.lines)]


def _make_row(board: SiteBoard, line: SiteLine, columns: Sequence[SiteColumn], axis: Axis | None) -> SiteRow:
    first, last = line.ranks or (len(board.lines), len(board.lines))
    return SiteRow(
        line,
        write_ranks(line.ranks),
        tied=line.ranks is not None and first != last,
        first=first,
        bar=axis.measure(line.figures[board.metric]) if axis else None,
        cells=[_make_cell(line, column) for column in columns],
    )


def _make_cell(line: SiteLine, column: SiteColumn) -> SiteCell:
    if column.kind == COST:
        cost = line.costs.get(column.name)
        return SiteCell(
            column, "–" if cost is None else f"{cost:.3g}", "", "" if cost is None else f"{cost:.6g}"
        )
    if column.kind == GUARD:
        found = line.given.get(column.name, "")
        return SiteCell(column, f"{float(found):z.3f}" if found else "–", "", found)
    figure = line.figures.get(column.name)
    value = None if figure is None else figure.value
    return SiteCell(
        column, write_value(figure), write_interval(figure), "" if value is None else f"{value:.6g}"
    )


def _list_ends(figure: Figure | None) -> list[float | None]:
    return [None, None, None] if figure is None else [figure.value, figure.low, figure.high]


def _list_differences(found: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "figure": one.metric,
            "first": one.first,
            "second": one.second,
            "ends": [float(f"{end:.6g}") for end in one.interval],
            "p": one.p_value,
        }
        for one in found.differences
    ]
