"""What the pictures of a condition cost: seconds, passes of the denoiser, operations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow.compute as pc
from pydantic import Field

from lepbench.backbones.cost import Passes, count_passes, describe_arithmetic
from lepbench.config import Config, Line
from lepbench.evaluation.condition_table import ConditionTable
from lepbench.methods import Method
from lepbench.methods.base import Request

SECONDS, PASSES, STEERED = "seconds", "passes", "steered_passes"
"""Columns that a batch keeps while a run goes on: of each sample, its share of the batch's."""


class Cost(Config):
    """Of one picture, the mean over those of a condition."""

    seconds: float = Field(ge=0, allow_inf_nan=False)
    """On the clock, while it was drawn; of a cached condition, when it was drawn first."""
    passes: float = Field(ge=0, allow_inf_nan=False)
    """Samples that went through the denoiser: a step of classifier-free guidance is two."""
    steered_passes: float = Field(ge=0, allow_inf_nan=False)
    """Those of them that a backward pass followed."""
    tflop: float | None = Field(ge=0, allow_inf_nan=False)
    """10^12 floating point operations, text encoders and decoder included; None where that is not known."""
    precision: Line
    """Of the denoiser's weights."""
    quantised: Line | None = None
    """By which scheme they are quantised."""
    cached: bool = False
    """Whether blocks of the denoiser are skipped and their outputs taken from a cache."""


@contextmanager
def count_method_passes(method: Method | None) -> Iterator[Passes | None]:
    """Context in which the passes of a method's denoiser are counted; None where it has none of ours."""
    backbone = None if method is None else method.counted
    if backbone is None:
        yield None
        return
    with count_passes(backbone.denoiser) as passes:
        yield passes


def share_cost(seconds: float, passes: Passes | None, pictures: int) -> dict[str, float]:
    """A picture's share of what a batch took, by column."""
    found = (
        {SECONDS: seconds}
        if passes is None
        else {SECONDS: seconds, PASSES: float(passes.total), STEERED: float(passes.steered)}
    )
    return {name: value / pictures for name, value in found.items()}


def measure_cost(table: ConditionTable, method: Method | None, request: Request) -> Cost | None:
    """The cost of a condition's pictures; None where no denoiser of ours drew them.

    Args:
        request: one of those drawn, of whose size operations are counted.
    """
    if method is None or method.counted is None:
        return None
    columns = table.read_columns([SECONDS, PASSES, STEERED])
    means = (float(pc.mean(columns[name]).as_py() or 0) for name in columns.column_names)
    return state_cost(method, request, *means)


def state_cost(
    method: Method, request: Request, seconds: float, passes: float, steered: float
) -> Cost | None:
    """The cost of a picture that took so long and so many passes; None where no denoiser of ours drew it.

    Args:
        request: of whose size operations are counted.
        passes: steered ones included.
    """
    backbone = method.counted
    if backbone is None:
        return None
    precision, quantised, cached = describe_arithmetic(backbone)
    return Cost(
        seconds=seconds,
        passes=passes,
        steered_passes=steered,
        tflop=_count_tflop(method, request, passes - steered, steered),
        precision=precision,
        quantised=quantised,
        cached=cached,
    )


def _count_tflop(method: Method, request: Request, plain: float, steered: float) -> float | None:
    try:
        flops = method.measure_flops(request)
    except Exception:  # whatever a backbone cannot do while it is counted: the figures stand without it
        return None
    return None if flops is None else flops.of_passes(plain, steered)
