"""A table of results, whatever it is of: columns, lines, which are best, and what must be said below."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lepbench.errors import LepbenchError
from lepbench.evaluation.directions import add_arrow, find_direction, is_of_sets
from lepbench.evaluation.figure_names import strip_label
from lepbench.evaluation.figures import Figure, head_metrics
from lepbench.registry import limit_list, suggest_name

TIE = "†"
"""What marks a figure that is not significantly different from the best."""
SHOWN = 300
"""Characters of a list of figures in an error."""
BRACKETS = " [{low:z.3f}, {high:z.3f}]"


@dataclass(frozen=True)
class Column:
    """A metric.

    Attributes:
        title: what heads it, without arrow and number of samples.
        n: number of samples of its figures, where they depend on it.
    """

    metric: str
    title: str
    n: int | None = None

    @property
    def heading(self) -> str:
        """The title with the number of samples, and an arrow to the better side if there is one."""
        return add_arrow(f"{self.title}{_write_count(self.n)}", self.metric)


@dataclass(frozen=True)
class Line:
    """A run or a reference.

    Attributes:
        reference: whether it is what runs are compared with, and takes no part in what is best.
    """

    name: str
    figures: Mapping[str, Figure]
    reference: bool = False


@dataclass(frozen=True)
class ResultsTable:
    """A table in no format yet.

    Attributes:
        best: (line, metric) of the best figures.
        ties: those that are not significantly different from the best.
        marks: what the marks mean, with `{best}` for how the best is marked; empty where none is.
        confidence: of the intervals.
        notes: what is said below, a sentence each.
    """

    title: str
    columns: Sequence[Column]
    lines: Sequence[Line]
    best: frozenset[tuple[str, str]] = frozenset()
    ties: frozenset[tuple[str, str]] = frozenset()
    marks: str = ""
    confidence: float = 0.95
    notes: Sequence[str] = field(default_factory=list)

    def list_notes(self, *, intervals: bool = False) -> list[str]:
        """What is said below beside the marks."""
        return [*([f"intervals: {100 * self.confidence:g} %"] if intervals else []), *self.notes]

    def list_cells(self, line: Line, embolden: Callable[[str], str], interval: str = "") -> list[str]:
        """The cells of a line beside its name, the best ones emboldened.

        Args:
            interval: how an interval is written after its figure, such as `BRACKETS`; empty for none.
        """
        cells = []
        for column in self.columns:
            text = self._write_figure(line, column, interval)
            cells.append(embolden(text) if (line.name, column.metric) in self.best else text)
        return cells

    def _write_figure(self, line: Line, column: Column, interval: str) -> str:
        """A figure as it is read: to three decimals, with the mark of a tie; `-` where there is none."""
        figure = line.figures.get(column.metric)
        if figure is None or figure.value is None:
            return "-"
        text = f"{figure.value:z.3f}" + (TIE if (line.name, column.metric) in self.ties else "")
        if column.n is not None and figure.n != column.n:
            text += _write_count(figure.n)
        if figure.low is None or figure.high is None:
            return text
        return text + interval.format(low=figure.low, high=figure.high)


def _write_count(n: int | None) -> str:
    return "" if n is None else f" (n={n})"


def make_columns(metrics: Sequence[str], figures: Mapping[str, Figure]) -> list[Column]:
    """Columns of metrics, with the numbers of samples of `figures`."""
    return [
        Column(metric, title, figures[metric].n if is_of_sets(metric) else None)
        for metric, title in head_metrics(metrics).items()
    ]


def choose_metrics(asked: Sequence[str], known: Iterable[str]) -> list[str]:
    """The metrics that are asked for, in that order: by name, or by a name without judge for all judges.

    Raises:
        LepbenchError: one is not known.
    """
    known = list(known)
    chosen: dict[str, None] = {}
    for name in asked:
        found = [metric for metric in known if name in (metric, strip_label(metric))]
        if not found:
            raise LepbenchError(f"there is no figure {name!r}", suggest_name(name, known))
        chosen |= dict.fromkeys(found)
    return list(chosen)


def choose_figures(asked: Sequence[str], known: Collection[str], ranks: str | None, where: str) -> list[str]:
    """The figures that are asked for, by their whole names; none for the one that ranks.

    Args:
        ranks: the figure that ranks; None where none does.
        where: what has the figures, for errors.

    Raises:
        LepbenchError: one is not known, or none is asked for and none ranks.
    """
    chosen = list(asked) or [name for name in (ranks,) if name is not None]
    if not chosen or not known:
        some = limit_list(list(known), SHOWN)
        raise LepbenchError(f"no figure ranks {where}", f"name some by --metrics, of: {some}")
    for name in chosen:
        if name not in known:
            raise LepbenchError(f"{where} has no figure {name!r}", suggest_name(name, known))
    return chosen


def find_best(lines: Iterable[Line], metric: str) -> list[str]:
    """The lines whose figure is best; none where no line has one, or neither side is better."""
    direction = find_direction(metric)
    if direction == "none":
        return []
    values = {
        line.name: figure.value
        for line in lines
        if (figure := line.figures.get(metric)) is not None and figure.value is not None
    }
    best = (min if direction == "lower" else max)(values.values(), default=None)
    return [name for name, value in values.items() if value == best]
