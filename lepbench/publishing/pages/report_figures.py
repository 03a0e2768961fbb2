"""The figures of a report: a headline with bars, and tables in which each figure is explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lepbench.evaluation.conditions import CONDITIONS, MODEL, UNGUIDED
from lepbench.evaluation.directions import ARROWS, find_direction
from lepbench.evaluation.explanations import ASPECTS, explain_figure, find_aspect
from lepbench.evaluation.figures import Figure, head_metrics
from lepbench.evaluation.summary import list_main_metrics
from lepbench.publishing.pages.axes import Axis, Bar, Tick, make_axis
from lepbench.publishing.pages.report_runs import ReportedRun, find_metric
from lepbench.publishing.results import Line, find_best
from lepbench.publishing.run_table import list_lines

MEANINGS = {
    "model": "the pictures under test",
    "unguided": "the same backbone and noise, without the sketch",
    "real": "the pictures that the sketches were made from",
    "vae": "those pictures through the VAE and back",
    "overlay": "the sketch drawn on the unguided picture: what a cheat would submit",
    "wrong_sketch": "the model's pictures compared with another item's sketch: chance",
}
"""Of the conditions of a table."""
KEPT = (UNGUIDED.name,)
"""References of which each run may have its own."""


@dataclass(frozen=True)
class HeadlineRow:
    """A line of the headline: what it is, its figure, and its bar."""

    name: str
    meaning: str
    reference: bool
    text: str
    interval: str
    bar: Bar | None


@dataclass(frozen=True)
class Headline:
    """The figure that ranks, of every run and condition, on one axis."""

    metric: str
    title: str
    arrow: str
    explained: str
    ticks: Sequence[Tick]
    rows: Sequence[HeadlineRow]


@dataclass(frozen=True)
class FigureCell:
    """A figure as it is read."""

    text: str
    interval: str
    best: bool


@dataclass(frozen=True)
class FigureRow:
    """A figure of all runs and conditions."""

    metric: str
    title: str
    arrow: str
    explained: str
    main: bool
    cells: Sequence[FigureCell]


@dataclass(frozen=True)
class FigureGroup:
    """The figures of an aspect."""

    title: str
    rows: Sequence[FigureRow]


def list_report_lines(runs: Sequence[ReportedRun]) -> list[Line]:
    """The runs, then their references, each once where it is the same for all."""
    lines = list_lines([run.record for run in runs], list(CONDITIONS))
    # Where each run has its own, the overlays and wrong sketches would be a table of their own.
    return [
        line
        for line in lines
        if not line.reference or find_condition(line.name) in KEPT or line.name in CONDITIONS
    ]


def find_condition(name: str) -> str:
    """The condition of a reference's line, which names its runs in brackets where others have another."""
    return name.partition(" (")[0]


def make_headline(runs: Sequence[ReportedRun], lines: Sequence[Line]) -> Headline:
    """The figure that heads the report, among the reference conditions."""
    metric = find_metric(runs)
    axis = make_axis([line.figures.get(metric) for line in lines], from_zero=True)
    alone = sum(not line.reference for line in lines) == 1
    return Headline(
        metric,
        head_metrics([metric])[metric],
        ARROWS[find_direction(metric)],
        explain_figure(metric),
        ticks=axis.ticks if axis else [],
        rows=[_make_headline_row(line, metric, axis, alone) for line in lines],
    )


def _make_headline_row(line: Line, metric: str, axis: Axis | None, alone: bool) -> HeadlineRow:
    own = MEANINGS[MODEL.name] if alone else ""
    figure = line.figures.get(metric)
    return HeadlineRow(
        line.name,
        MEANINGS.get(find_condition(line.name), "") if line.reference else own,
        line.reference,
        text=write_value(figure),
        interval=write_interval(figure),
        bar=axis.measure(figure) if axis else None,
    )


def group_figures(runs: Sequence[ReportedRun], lines: Sequence[Line]) -> list[FigureGroup]:
    """Every figure that some line has, by aspect; those by level are left to the curves."""
    record = runs[0].record
    known = [name for name in lines[0].figures if any(has_value(line, name) for line in lines)]
    titles, main = head_metrics(known), list_main_metrics(record.protocol, known)
    groups: dict[str, list[FigureRow]] = {}
    for name in known:
        aspect = find_aspect(name, record.protocol.rank_by)
        groups.setdefault(aspect, []).append(_make_row(name, titles[name], name in main, lines))
    return [FigureGroup(title, groups[aspect]) for aspect, title in ASPECTS.items() if aspect in groups]


def _make_row(name: str, title: str, main: bool, lines: Sequence[Line]) -> FigureRow:
    compared = [line for line in lines if not line.reference]
    best = find_best(compared, name) if len(compared) > 1 else []
    cells = [
        FigureCell(write_value(figure), write_interval(figure), line.name in best)
        for line in lines
        for figure in [line.figures.get(name)]
    ]
    return FigureRow(
        name, title, ARROWS[find_direction(name)], explained=explain_figure(name), main=main, cells=cells
    )


def has_value(line: Line, metric: str) -> bool:
    """Whether a line has a figure."""
    figure = line.figures.get(metric)
    return figure is not None and figure.value is not None


def write_value(figure: Figure | None) -> str:
    """A figure to three decimals; a dash where there is none."""
    return "–" if figure is None or figure.value is None else f"{figure.value:z.3f}"


def write_interval(figure: Figure | None) -> str:
    """The ends of its interval; empty where it has none."""
    if figure is None or figure.low is None or figure.high is None:
        return ""
    return f"{figure.low:z.3f} to {figure.high:z.3f}"
