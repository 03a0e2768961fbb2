"""A table of results as text, Markdown, LaTeX, CSV or JSON."""

from __future__ import annotations

import io
import json

from lepbench.errors import LepbenchError
from lepbench.evaluation.directions import find_direction
from lepbench.evaluation.figures import Figure
from lepbench.publishing.flat_figures import format_lines, spread_figures
from lepbench.publishing.latex import format_latex
from lepbench.publishing.results import BRACKETS, Line, ResultsTable
from lepbench.registry import suggest_name

TEXT_WIDTH = 120


def format_table(table: ResultsTable, kind: str, *, intervals: bool = False) -> str:
    """A table in one of `FORMATS`, ending with a line break.

    Raises:
        LepbenchError: there is no such format.
    """
    if kind not in FORMATS:
        raise LepbenchError(f"there is no format {kind!r}", suggest_name(kind, FORMATS))
    return FORMATS[kind](table, intervals)


def format_text(table: ResultsTable, intervals: bool) -> str:
    """As a terminal shows it; the best figures bear an asterisk."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    drawn = Table(title=table.title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    drawn.add_column("", no_wrap=True)
    for column in table.columns:
        drawn.add_column(column.heading, justify="right")
    for line in table.lines:
        below = "\n{low:z.3f}…{high:z.3f}" if intervals else ""
        drawn.add_row(line.name, *table.list_cells(line, lambda text: f"*{text}", below))
    stream = io.StringIO()
    console = Console(file=stream, width=10 * TEXT_WIDTH, color_system=None)
    # No figure is cut short: a table of many columns is wider.
    console.width = max(TEXT_WIDTH, console.measure(drawn).minimum)
    console.print(drawn)
    notes = [table.marks.format(best="*"), *table.list_notes(intervals=intervals)]
    return stream.getvalue() + "".join(f"{note}\n" for note in notes if note)


def format_markdown(table: ResultsTable, intervals: bool) -> str:
    """A table as GitHub reads it, the best figures bold, and the notes as a list."""
    rows = [["", *(column.heading for column in table.columns)], [":---", *["---:"] * len(table.columns)]]
    for line in table.lines:
        cells = table.list_cells(line, lambda text: f"**{text}**", BRACKETS if intervals else "")
        rows.append([line.name, *cells])
    lines = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    notes = [table.title, table.marks.format(best="**bold**"), *table.list_notes(intervals=intervals)]
    return "\n".join([*lines, "", *(f"- {note}" for note in notes if note), ""])


def format_csv(table: ResultsTable, intervals: bool) -> str:
    """A line a run or reference: its raw figures with the ends of their intervals, without notes."""
    lines = [{"name": line.name, **spread_figures(_choose(table, line))} for line in table.lines]
    columns = dict.fromkeys(name for line in lines for name in line)
    return format_lines(list(columns), lines)


def format_json(table: ResultsTable, intervals: bool) -> str:
    """One object: columns, lines with their raw figures, which are best and tie, and the notes."""
    columns = [
        {
            "metric": column.metric,
            "title": column.title,
            "better": find_direction(column.metric),
        }
        for column in table.columns
    ]
    lines = [
        {
            "name": line.name,
            "reference": line.reference,
            "figures": {name: figure.model_dump() for name, figure in _choose(table, line).items()},
            "best": [c.metric for c in table.columns if (line.name, c.metric) in table.best],
            "ties": [c.metric for c in table.columns if (line.name, c.metric) in table.ties],
        }
        for line in table.lines
    ]
    found = {"title": table.title, "columns": columns, "lines": lines, "notes": table.list_notes()}
    return json.dumps(found) + "\n"


def _choose(table: ResultsTable, line: Line) -> dict[str, Figure]:
    return {c.metric: line.figures[c.metric] for c in table.columns if c.metric in line.figures}


FORMATS = {
    "text": format_text,
    "markdown": format_markdown,
    "latex": format_latex,
    "csv": format_csv,
    "json": format_json,
}
"""By the name of the option."""
