"""Runs as one table."""

from __future__ import annotations

from collections.abc import Sequence

from lepbench.api.running import RunLike, find_folder
from lepbench.errors import LepbenchError
from lepbench.publishing.formats import format_table
from lepbench.publishing.run_table import SHOWN, tabulate_runs


def make_table(
    *runs: RunLike | Sequence[RunLike],
    format: str = "markdown",
    metrics: Sequence[str] = (),
    rows: Sequence[str] = SHOWN,
    intervals: bool = False,
) -> str:
    """Set finished runs of one suite and protocol in one table, as `lepbench table` does.

    The best figure of the runs is bold; one that is not significantly different from it has a dagger.

    Args:
        runs: folders or records, each with its own model name.
        format: "text", "markdown", "latex" (with booktabs), "csv" or "json".
        metrics: figures by name, such as "edge_f1_1px" or "kid"; the main ones unless given.
        rows: the runs are the row "model"; "unguided", "real", "vae", "overlay" and "wrong_sketch" stand
            below, once where they are the same for all runs.
        intervals: write the interval beside each figure.

    Returns:
        The table as text.

    Raises:
        LepbenchError: there is no run, the runs do not compare, or a name is not known.
    """
    flat = [one for run in runs for one in ([run] if isinstance(run, RunLike) else run)]
    if not flat:
        raise LepbenchError("a table needs a run", "give folders or records")
    table = tabulate_runs([find_folder(one) for one in flat], metrics=metrics, rows=rows)
    return format_table(table, format, intervals=intervals)
