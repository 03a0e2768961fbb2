"""A figure as a cell of a table on a terminal."""

from __future__ import annotations

from rich.text import Text

from lepbench.evaluation.figures import Figure


def format_cell(figure: Figure) -> Text:
    """A value, and its interval in a second, dimmed line."""
    if figure.value is None:
        return Text("-", style="dim")
    text = Text(f"{figure.value:z.3f}")
    if figure.low is not None and figure.high is not None:
        text.append(f"\n{figure.low:z.3f}…{figure.high:z.3f}", style="dim")
    return text
