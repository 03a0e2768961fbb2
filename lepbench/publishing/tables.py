"""A record as a table: on a terminal, and as CSV with every figure."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.table import Table

from lepbench.evaluation.conditions import MODEL, OVERLAY, UNGUIDED
from lepbench.evaluation.directions import add_arrow
from lepbench.evaluation.figures import head_metrics
from lepbench.evaluation.record import Record
from lepbench.evaluation.summary import list_main_metrics
from lepbench.files import write_text
from lepbench.publishing.cells import format_cell
from lepbench.publishing.flat_figures import format_lines, spread_figures
from lepbench.publishing.level_table import make_level_table

TABLE = "table.csv"
EDGES = "edge_f1_1px"
MARGIN = 2
"""Characters between two columns of a terminal."""


def make_terminal_tables(record: Record, width: int) -> list[Table]:
    """The main metrics of every condition, each above its interval; metrics without values are omitted.

    Of a suite of variants the figures of the model by level follow.

    Args:
        width: of the terminal, in characters; columns that do not fit beside the others make a further table.
    """
    identity = record.identity
    rows = record.rows.values()
    main = list_main_metrics(record.protocol, record.rows[MODEL.name]).items()
    shown = [
        (metric, heading)
        for metric, heading in main
        if all(metric in row for row in rows) and any(row[metric].value is not None for row in rows)
    ]
    tables = [_draw_block(record, block) for block in _divide_columns(record, shown, width)]
    tables[0].title = f"{identity.model.name} on {identity.suite}, {record.sample_count} samples"
    by_level = make_level_table(record)
    tables += [] if by_level is None else [by_level]
    tables[-1].caption = _write_caption(record)
    return tables


Heading = tuple[str, str]
"""A metric and what it is called."""


def _divide_columns(record: Record, shown: list[Heading], width: int) -> list[list[Heading]]:
    """Columns in blocks that fit into a width."""
    blocks: list[list[Heading]] = [[]]
    # The edges of a table take as much as what is between two columns.
    first = used = max(map(len, record.rows)) + 2 * MARGIN
    for metric, heading in shown:
        cells = (format_cell(figures[metric]).plain for figures in record.rows.values())
        lines = [line for cell in cells for line in cell.splitlines()]
        wide = max(map(len, [*lines, *add_arrow(heading, metric).split()])) + MARGIN
        if blocks[-1] and used + wide > width:
            blocks.append([])
            used = first
        blocks[-1].append((metric, heading))
        used += wide
    return blocks


def _draw_block(record: Record, shown: list[Heading]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("row", style="bold", no_wrap=True)
    for metric, heading in shown:
        table.add_column(add_arrow(heading, metric), justify="right")
    for row, figures in record.rows.items():
        style = "bold green" if row == MODEL.name else None
        table.add_row(row, *(format_cell(figures[metric]) for metric, _ in shown), style=style)
    return table


def _write_caption(record: Record) -> str:
    parts = ["95 % intervals below each figure"]
    if OVERLAY.name in record.rows:
        parts.append("overlay: a cheat that draws the sketch on the picture")
    return " · ".join(parts)


def write_headline(record: Record) -> str:
    """The run, and the metric that ranks it (its protocol's first), beside the unguided figure, in one line.

    Edge F1 at 1 px follows where it is another: the two together show whether the caption was kept.
    """
    metrics = [
        name
        for name in dict.fromkeys((*list(record.rows[MODEL.name])[:1], EDGES))
        if name in record.rows[MODEL.name]
    ]
    said = [text for text in (_compare_rows(record, metric) for metric in metrics) if text]
    figures = f": {'; '.join(said)}" if said else ""
    return f"{record.identity.suite}, {record.sample_count} samples{figures}"


def _compare_rows(record: Record, metric: str) -> str:
    """A metric of the model and of its backbone unguided; empty where it has no value."""
    shown = [row for row in (MODEL.name, UNGUIDED.name) if row in record.rows]
    values = {row: record.rows[row][metric].value for row in shown}
    said = [f"{row} {value:z.3f}" for row, value in values.items() if value is not None]
    return f"{head_metrics([metric])[metric]} {', '.join(said)}" if said else ""


def write_csv(folder: Path, record: Record) -> None:
    """Write `table.csv`: a line a row, and for every metric its value and the ends of its interval."""
    lines = [{"row": row, **spread_figures(figures)} for row, figures in record.rows.items()]
    columns = dict.fromkeys(name for line in lines for name in line)
    write_text(folder / TABLE, format_lines(list(columns), lines))
