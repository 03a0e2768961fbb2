"""The figures of a model at each level of a suite of variants: a line a level."""

from __future__ import annotations

from rich import box
from rich.table import Table

from lepbench.evaluation.conditions import MODEL
from lepbench.evaluation.figure_names import name_part
from lepbench.evaluation.figures import Figure, head_metrics
from lepbench.evaluation.measures.levels import list_figures
from lepbench.evaluation.record import Record
from lepbench.publishing.cells import format_cell


def make_level_table(record: Record) -> Table | None:
    """The curves of the model for a terminal; None where its protocol gives no figure by level."""
    protocol, found = record.protocol, record.rows[MODEL.name]
    figures = [
        name
        for name in list_figures(protocol)
        if any(_find(found, name, level).value is not None for level in protocol.levels)
    ]
    if not figures:
        return None
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title=f"{record.identity.model.name} by level")
    table.add_column("level", style="bold", no_wrap=True)
    for heading in head_metrics(figures).values():
        table.add_column(heading, justify="right")
    for level in protocol.levels:
        table.add_row(level, *(format_cell(_find(found, name, level)) for name in figures))
    return table


def _find(found: dict[str, Figure], figure: str, level: str) -> Figure:
    return found.get(name_part(figure, f"at_{level}"), Figure(value=None, n=0))
