"""The trade-off of several runs between a figure about the sketch and one about the caption."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lepbench.errors import LepbenchError
from lepbench.evaluation.explanations import find_aspect
from lepbench.evaluation.figures import Figure, choose_main_metrics, head_metrics
from lepbench.publishing.fronts import find_range, make_front
from lepbench.publishing.plots import FrontPanel
from lepbench.publishing.results import Line, choose_metrics

ASPECTS = ("sketch", "caption")


def make_front_panel(lines: Sequence[Line], metrics: Sequence[str] = ()) -> FrontPanel:
    """The runs under two figures, with those that no other dominates joined.

    Args:
        metrics: two figures by name, or by name without judge; the first main ones about the sketch and about
            the caption that have closed ends unless given.

    Raises:
        LepbenchError: they are not two, one is not known or has no closed ends, or fewer than two runs have
            both.
    """
    known = [
        name for name in lines[0].figures if all(_read(line.figures, name) is not None for line in lines)
    ]
    chosen = choose_metrics(metrics, known) if metrics else _choose(known)
    if len(chosen) != 2:
        raise LepbenchError(f"a front is of two figures, not {len(chosen)}", "name two, such as mask_iou,kid")
    first, second = chosen
    points = {
        line.name: (x, y)
        for line in lines
        if (x := _read(line.figures, first)) is not None and (y := _read(line.figures, second)) is not None
    }
    if len(points) < 2:
        raise LepbenchError("a front is of two runs or more", "name more")
    titles, ranges = head_metrics(chosen), (find_range(first), find_range(second))
    front = make_front("front", points, ranges)
    title = f"{titles[second]} against {titles[first]}"
    return FrontPanel(
        title,
        (titles[first], titles[second]),
        [front],
        whole=front,
        ranges=ranges,
        costs={},
        cost="",
        named=True,
    )


def _choose(known: Iterable[str]) -> list[str]:
    main = [name for name in choose_main_metrics(known) if _is_closed(name)]
    found = [next((name for name in main if find_aspect(name) == aspect), None) for aspect in ASPECTS]
    return [name for name in found if name is not None]


def _is_closed(metric: str) -> bool:
    try:
        find_range(metric)
    except LepbenchError:
        return False
    return True


def _read(figures: Mapping[str, Figure], name: str) -> float | None:
    figure = figures.get(name)
    return None if figure is None else figure.value
