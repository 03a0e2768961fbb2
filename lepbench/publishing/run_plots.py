"""Plots of finished runs for a paper: curves over tolerances and levels, and fronts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.evaluation.compare import check_comparable
from lepbench.evaluation.conditions import MODEL
from lepbench.evaluation.figure_names import split_part, split_tolerance
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.record import read_record
from lepbench.publishing.curves import make_level_panels, make_tolerance_panels
from lepbench.publishing.plots import Panel, write_plot
from lepbench.publishing.results import Line, choose_metrics
from lepbench.publishing.run_table import check_rows, list_lines
from lepbench.publishing.trade_off import make_front_panel
from lepbench.registry import suggest_name

Make = Callable[[Sequence[Line], Protocol, Sequence[str]], Sequence[Panel]]


def plot_runs(
    kind: str, folders: Sequence[Path], out: Path, *, metrics: Sequence[str] = (), rows: Sequence[str] = ()
) -> None:
    """Write a plot of finished runs of one suite and protocol.

    Args:
        kind: a name in `KINDS`.
        out: a file ending in `.pdf`, `.svg` or `.png`.
        metrics: figures by name; those that the kind is drawn of unless given.
        rows: names of conditions; the model alone unless given.

    Raises:
        LepbenchError: the runs do not compare, or have nothing of the kind to plot.
    """
    if kind not in KINDS:
        raise LepbenchError(f"there is no plot {kind!r}", suggest_name(kind, KINDS))
    check_rows(rows)
    records = [read_record(folder) for folder in folders]
    if len(records) > 1:
        check_comparable(folders, records)
    panels = KINDS[kind](list_lines(records, rows or (MODEL.name,)), records[0].protocol, metrics)
    if not panels:
        name, protocol = folders[0], records[0].protocol.name
        raise LepbenchError(f"{name} has no figures for a plot of {kind}: {protocol} gives none")
    write_plot(out, panels)


def _plot_levels(lines: Sequence[Line], protocol: Protocol, metrics: Sequence[str]) -> Sequence[Panel]:
    figures = (split_part(name) for name in lines[0].figures)
    chosen = choose_metrics(metrics, dict.fromkeys(name for name, part in figures if part))
    return make_level_panels(lines, protocol.levels, chosen)


def _plot_tolerances(lines: Sequence[Line], protocol: Protocol, metrics: Sequence[str]) -> Sequence[Panel]:
    figures = (split_tolerance(name) for name in lines[0].figures)
    chosen = choose_metrics(metrics, dict.fromkeys(name for name, label in figures if label))
    return make_tolerance_panels(lines, chosen)


def _plot_front(lines: Sequence[Line], protocol: Protocol, metrics: Sequence[str]) -> Sequence[Panel]:
    return [make_front_panel(lines, metrics)]


KINDS: dict[str, Make] = {"curves": _plot_levels, "tolerance": _plot_tolerances, "front": _plot_front}
"""What can be plotted, by the name of the option."""
