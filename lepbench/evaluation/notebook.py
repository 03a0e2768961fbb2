"""How a notebook shows figures: a record's main ones over their intervals, and a comparison's tables."""

from __future__ import annotations

from html import escape

import pandas as pd

from lepbench.evaluation.directions import add_arrow
from lepbench.evaluation.figures import Figure, Figures
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.summary import list_main_metrics


def render_figures(title: str, rows: dict[str, Figures], protocol: Protocol) -> str:
    """The main figures of every condition as HTML; a metric that no condition has is left out."""
    headings = {
        metric: add_arrow(heading, metric)
        for metric, heading in list_main_metrics(protocol, next(iter(rows.values()))).items()
        if all(metric in figures for figures in rows.values())
        and any(figures[metric].value is not None for figures in rows.values())
    }
    cells = {
        condition: {heading: _format(figures[metric]) for metric, heading in headings.items()}
        for condition, figures in rows.items()
    }
    table = pd.DataFrame.from_dict(cells, orient="index")
    table.index = table.index.map(escape)
    return f"<div><b>{escape(title)}</b>{table.to_html(escape=False, border=0)}</div>"


def render_tables(tables: dict[str, pd.DataFrame]) -> str:
    """Tables as HTML, each under its title."""
    shown = (
        f"<b>{escape(title)}</b>{table.to_html(border=0, float_format='{:.3f}'.format, na_rep='-')}"
        for title, table in tables.items()
    )
    return f"<div>{''.join(shown)}</div>"


def _format(figure: Figure) -> str:
    if figure.value is None:
        return "-"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f}<br><small>{figure.low:.3f} to {figure.high:.3f}</small>"
