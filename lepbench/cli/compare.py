"""`lepbench compare`: which differences between runs are significant?"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lepbench.cli.inputs import check_runs

if TYPE_CHECKING:
    from rich.table import Table

    from lepbench.evaluation.compare import Comparison, Standing
    from lepbench.metrics.statistics import Interval


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR DIR...")
@click.option("--all-metrics", is_flag=True, help="Show every metric, not only the main ones.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
def command(runs: tuple[Path, ...], all_metrics: bool, as_json: bool) -> None:
    """Compare two or more finished runs on the samples they share.

    Differences are paired: every run is resampled with the same items. P values are Holm-corrected
    over all comparisons shown, and ranks without a significant difference are shown as ties.

    \b
    Examples:
      lepbench compare runs/mini-lep runs/mini-unguided
      lepbench compare runs/a runs/b runs/c --json > comparison.json
    """
    if len(runs) < 2:
        raise click.UsageError("give two folders or more")
    check_runs(runs)
    from lepbench.evaluation.compare import compare

    found = compare(runs, every_metric=all_metrics)
    if as_json:
        click.echo(json.dumps(_object(found)))
        return
    from lepbench.cli.console import print_whole

    for table in (_standings(found), _differences(found)):
        print_whole(table)


def _object(found: Comparison) -> dict[str, Any]:
    return {
        "samples": found.samples,
        "left_out": found.left_out,
        "standings": [
            {
                "metric": one.metric,
                "run": one.run,
                **_ends(one.interval),
                "skill": one.skill,
                "ranks": one.ranks and list(one.ranks),
            }
            for one in found.standings
        ],
        "differences": [
            {
                "metric": one.metric,
                "first": one.first,
                "second": one.second,
                **_ends(one.interval),
                "p_value": one.p_value,
            }
            for one in found.differences
        ],
    }


def _ends(interval: Interval) -> dict[str, float | None]:
    return {key: x if math.isfinite(x) else None for key, x in interval._asdict().items()}


def _standings(found: Comparison) -> Table:
    table = _table(
        f"{found.samples} samples" + (f", {found.left_out} left out as failed" if found.left_out else ""),
        "skill: 0 unguided, 1 real pictures · ranges of ranks are ties, - if no side is better",
        ("metric", "run", "figure", "95 % interval", "skill", "rank"),
    )
    for one in found.standings:
        skill = "-" if one.skill is None else f"{one.skill:z.3f}"
        table.add_row(
            one.metric, one.run, f"{one.interval.value:z.4f}", _span(one.interval), skill, _rank(one)
        )
    return table


def _rank(one: Standing) -> str:
    if one.ranks is None:
        return "-"
    low, high = one.ranks
    return str(low) if low == high else f"{low}-{high}"


def _differences(found: Comparison) -> Table:
    table = _table(
        "Paired differences",
        "p: two-sided, corrected (Holm) for all lines; * below 0.05",
        ("metric", "difference", "figure", "95 % interval", "p", ""),
    )
    for one in found.differences:
        mark = "*" if one.significant else ""
        pair = f"{one.first} - {one.second}"
        table.add_row(
            one.metric, pair, f"{one.interval.value:+z.4f}", _span(one.interval), f"{one.p_value:z.3f}", mark
        )
    return table


def _span(interval: Interval) -> str:
    return f"{interval.low:z.4f}…{interval.high:z.4f}" if math.isfinite(interval.low) else "-"


def _table(title: str, caption: str, columns: tuple[str, ...]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, caption=caption, box=box.SIMPLE_HEAD)
    for place, name in enumerate(columns):
        table.add_column(name, justify="left" if place < 2 else "right", no_wrap=True)
    return table
