"""A table of results as LaTeX."""

from __future__ import annotations

from lepbench.publishing.results import BRACKETS, TIE, Line, ResultsTable

ESCAPED = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    TIE: r"$^{\dagger}$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "≥": r"$\geq$",
}
"""What TeX reads otherwise, and signs that its text fonts lack."""


def format_latex(table: ResultsTable, intervals: bool) -> str:
    """A `table` with the rules of booktabs; references stand under a rule, the notes under the table."""
    head = _join("", *(escape_latex(column.heading) for column in table.columns))
    runs, references = (
        [_write_line(table, line, intervals) for line in table.lines if line.reference is reference]
        for reference in (False, True)
    )
    body = [*runs, r"\midrule", *references] if runs and references else [*runs, *references]
    caption = ". ".join(filter(None, [table.title, table.marks.format(best="Bold")]))
    notes = [escape_latex(note) for note in table.list_notes(intervals=intervals)]
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escape_latex(caption)}.}}",
            rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
            r"\toprule",
            head,
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            *([r"\par\smallskip", rf"{{\footnotesize {'; '.join(notes)}.\par}}"] if notes else []),
            r"\end{table}",
            "",
        ]
    )


def escape_latex(text: str) -> str:
    """Text that TeX sets as it is written."""
    return "".join(ESCAPED.get(sign, sign) for sign in text)


def _write_line(table: ResultsTable, line: Line, intervals: bool) -> str:
    # Marked before it is escaped, so that the marks are no letters of the text.
    cells = table.list_cells(line, lambda text: f"\0{text}", BRACKETS if intervals else "")
    return _join(escape_latex(line.name), *map(_write_cell, cells))


def _write_cell(cell: str) -> str:
    text = escape_latex(cell.removeprefix("\0"))
    return rf"\textbf{{{text}}}" if cell.startswith("\0") else text


def _join(*cells: str) -> str:
    return rf"{' & '.join(cells)} \\"
