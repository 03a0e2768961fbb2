"""What a run of a set has under a name: a figure, a cost of a picture, or a setting of its model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import MODEL
from lepbench.evaluation.figure_names import strip_label
from lepbench.evaluation.figures import Figure
from lepbench.evaluation.record import Record
from lepbench.publishing.results import choose_metrics
from lepbench.run_sets.plot_config import COSTS
from lepbench.run_sets.runs import SetRun


def is_metric(name: str, known: Iterable[str]) -> bool:
    """Whether a figure, or figures by several judges, have a name."""
    return any(name in (metric, strip_label(metric)) for metric in known)


def find_metric(name: str, known: Iterable[str]) -> str:
    """The one figure of a name, or of a name without judge.

    Raises:
        LepbenchError: there is none, or one a judge.
    """
    found = choose_metrics([name], known)
    if len(found) > 1:
        raise LepbenchError(f"{name!r} is a figure of several judges", f"write one of: {', '.join(found)}")
    return found[0]


def read_cost(record: Record, name: str, row: str = MODEL.name) -> float | None:
    """A cost of a condition's picture; None where no denoiser of ours drew it, or it is not known."""
    cost = record.cost.get(row)
    found: float | None = None if cost is None else getattr(cost, name)
    return found


def read_value(run: SetRun, record: Record, name: str) -> Any:
    """The value of a cost, a figure of the model or a setting; None where the run has none."""
    if name in COSTS:
        return read_cost(record, name)
    figure: Figure | None = record.rows[MODEL.name].get(name)
    return run.variant.find_setting(name) if figure is None else figure.value
