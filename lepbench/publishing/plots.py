"""Plots of several runs: curves of a figure, and fronts of two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lepbench.errors import LepbenchError
from lepbench.evaluation.figures import Figure
from lepbench.files import atomic_path
from lepbench.publishing.fronts import Front, Range

if TYPE_CHECKING:
    from matplotlib import figure
    from matplotlib.axes import Axes

COLOURS = ("#13699f", "#b5402a", "#e0a030", "#4b8b3b", "#7b52a1", "#3fa7c4", "#8a5a44", "#d1699b")
MARKERS, LINES = "os^Dv", ("-", "--", ":", "-.")
"""Marks differ from curve to curve, as colours do not for every eye; lines, where colours come again."""
LONG = 40
"""Characters of names below an axis that have room beside each other."""
FEW = 5
"""Labels that find room beside what they name."""
PLAIN, GRID = "#9aa7b1", "#e6e6e6"
WIDTH, HEIGHT, DPI = 4.6, 3.8, 120
"""Of a panel, in inches, and pixels an inch."""
ABREAST = 3
"""Panels in a row."""
FORMATS: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Producer": None, "Creator": None},
    ".svg": {"Date": None, "Creator": None},
}
"""Files that plots are written to, with what would differ from one time to the next left out."""
LEAST_MARK, MOST_MARK = 20.0, 220.0
"""Areas of marks, in square points."""


@dataclass(frozen=True)
class Curve:
    """A figure at several places.

    Attributes:
        places: numbers, or positions of the panel's `ticks`.
        values: at each of them.
    """

    label: str
    places: Sequence[float]
    values: Sequence[Figure]


@dataclass(frozen=True)
class CurvePanel:
    """Curves over one axis.

    Attributes:
        title: above it.
        axes: what is written along x and y.
        ticks: names of the places 0, 1, 2 ..., where they are no numbers.
        joined: whether lines join the places of a curve.
    """

    title: str
    axes: tuple[str, str]
    curves: Sequence[Curve]
    ticks: Sequence[str] = ()
    joined: bool = True


@dataclass(frozen=True)
class FrontPanel:
    """Fronts of two figures.

    Attributes:
        fronts: of the runs, none of which is in two of them.
        whole: that of all runs.
        ranges: worst and best value of both figures, between which areas are measured.
        costs: of each run, by its name; a run without a cost has the least mark.
        cost: what they are.
        named: whether the runs on the fronts have their names beside them.
    """

    title: str
    axes: tuple[str, str]
    fronts: Sequence[Front]
    whole: Front
    ranges: tuple[Range, Range]
    costs: dict[str, float]
    cost: str
    named: bool = False


Panel = CurvePanel | FrontPanel


def write_plot(path: Path, panels: Sequence[Panel]) -> None:
    """Write panels in rows as a PNG, PDF or SVG; equal panels give equal bytes.

    Raises:
        LepbenchError: the file's name ends otherwise.
    """
    if path.suffix.lower() not in FORMATS:
        raise LepbenchError(f"{path} is no {', '.join(FORMATS)} file", "end its name so")
    _save(path, draw_panels(panels))


def draw_panels(panels: Sequence[Panel]) -> figure.Figure:
    """Panels in rows."""
    from matplotlib import rc_context

    # Names are text, whatever signs they have.
    with rc_context({"text.parse_math": False}):
        return _draw(panels)


def _draw(panels: Sequence[Panel]) -> figure.Figure:
    from matplotlib.figure import Figure as Canvas

    across = min(len(panels), ABREAST)
    down = -(-len(panels) // across)
    canvas = Canvas(figsize=(WIDTH * across, HEIGHT * down), dpi=DPI, layout="constrained")
    places = canvas.subplots(down, across, squeeze=False).flat
    for axes in places[len(panels) :]:
        axes.remove()
    for axes, panel in zip(places, panels, strict=False):
        if isinstance(panel, CurvePanel):
            _draw_curves(axes, panel)
        else:
            _draw_fronts(axes, panel)
        _finish_axes(axes, panel)
    _place_legends(canvas)
    return canvas


def _save(path: Path, canvas: figure.Figure) -> None:
    from matplotlib import rc_context

    kind = path.suffix.lower()
    # Letters of a PDF are those of a font that it holds, as journals ask.
    fonts = rc_context({"pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "lepbench"})
    with atomic_path(path) as partial, fonts:
        canvas.savefig(partial, format=kind[1:], metadata=FORMATS[kind])


def _finish_axes(axes: Axes, panel: Panel) -> None:
    axes.set(xlabel=panel.axes[0], ylabel=panel.axes[1])
    axes.set_title(panel.title, fontsize=9)
    axes.grid(color=GRID, lw=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8, length=2)


def _place_legends(canvas: figure.Figure) -> None:
    """A legend a panel, or one for all where they would be the same."""
    shown = {id(axes): axes.get_legend_handles_labels() for axes in canvas.axes}
    first, *others = (labels for _, labels in shown.values())
    if others and all(labels == first for labels in others):
        handles = shown[id(canvas.axes[0])][0]
        canvas.legend(handles, first, frameon=False, fontsize=8, loc="outside lower center", ncols=4)
        return
    for axes in canvas.axes:
        labels = shown[id(axes)][1]
        if len(labels) > FEW:
            # So many would cover what they name.
            axes.legend(frameon=False, fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
        elif labels:
            axes.legend(frameon=False, fontsize=7)


def _draw_curves(axes: Axes, panel: CurvePanel) -> None:
    for number, curve in enumerate(panel.curves):
        colour = COLOURS[number % len(COLOURS)]
        known = [
            (place, value)
            for place, value in zip(curve.places, curve.values, strict=True)
            if value.value is not None
        ]
        values = [float(value.value or 0) for _, value in known]
        bars = [_measure_bar(value) for _, value in known]
        axes.errorbar(
            [place for place, _ in known],
            values,
            [[low for low, _ in bars], [high for _, high in bars]],
            ls=LINES[number // len(COLOURS) % len(LINES)] if panel.joined else "none",
            marker=MARKERS[number % len(MARKERS)],
            ms=4,
            lw=1.4,
            color=colour,
            label=curve.label,
        )
    if not panel.ticks and all(float(place).is_integer() for curve in panel.curves for place in curve.places):
        axes.locator_params("x", integer=True)
    if panel.ticks:
        axes.set_xticks(range(len(panel.ticks)), list(panel.ticks))
        if sum(map(len, panel.ticks)) > LONG:
            axes.tick_params(axis="x", rotation=25)


def _measure_bar(value: Figure) -> tuple[float, float]:
    """How far the interval reaches below and above the value; 0 without one."""
    if value.value is None or value.low is None or value.high is None:
        return 0.0, 0.0
    # The quantiles of resamples need not lie about the value.
    return max(0.0, value.value - value.low), max(0.0, value.high - value.value)


def _draw_fronts(axes: Axes, panel: FrontPanel) -> None:
    # What a run dominates ends at its own value of the first figure, on its worse side.
    worst, best = panel.ranges[0]
    steps: dict[str, Any] = {"drawstyle": "steps-pre" if best > worst else "steps-post"}
    if len(panel.fronts) > 1:
        axes.plot(*_sort_front(panel.whole), color=PLAIN, lw=1, ls="--", **steps, label=_label(panel.whole))
    for number, front in enumerate(panel.fronts):
        colour = COLOURS[number % len(COLOURS)]
        axes.scatter(
            [x for x, _ in front.points],
            [y for _, y in front.points],
            _size_marks(front.names, panel.costs),
            color=colour,
            alpha=0.65,
            lw=0,
        )
        axes.plot(*_sort_front(front), color=colour, lw=1.2, marker=".", ms=4, **steps, label=_label(front))
    if panel.named:
        for name, point, kept in zip(panel.whole.names, panel.whole.points, panel.whole.kept, strict=True):
            if kept:
                axes.annotate(name, point, (-4, -9), textcoords="offset points", fontsize=6, ha="right")
    if panel.costs:
        axes.plot([], [], " ", label=f"area of a mark: {panel.cost}, up to {max(panel.costs.values()):.3g}")


def _label(front: Front) -> str:
    return f"{front.label}: area {front.area:.3f}"


def _sort_front(front: Front) -> tuple[list[float], list[float]]:
    """The points of a front from left to right."""
    found = sorted(point for point, kept in zip(front.points, front.kept, strict=True) if kept)
    return [x for x, _ in found], [y for _, y in found]


def _size_marks(names: Sequence[str], costs: dict[str, float]) -> list[float]:
    """Areas of marks, in square points, that grow with the cost."""
    most = max(costs.values(), default=0.0) or 1.0
    return [LEAST_MARK + (MOST_MARK - LEAST_MARK) * costs.get(name, 0.0) / most for name in names]
