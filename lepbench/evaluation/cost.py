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
from lepbench.methods.cost import PictureFlops

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


class ConditionArithmetic(Config):
    """By what numbers a condition's pictures are drawn, and how many operations their parts take."""

    precision: Line
    quantised: Line | None = None
    cached: bool = False
    flops: tuple[int, int, int] | None
    """As `PictureFlops`; None where that is not known."""


def find_arithmetic(method: Method, request: Request) -> ConditionArithmetic | None:
    """The arithmetic of a method; None where no denoiser of ours draws.

    Args:
        request: one of those drawn, of whose size operations are counted.
    """
    backbone = method.counted
    if backbone is None:
        return None
    precision, quantised, cached = describe_arithmetic(backbone)
    try:
        flops = method.measure_flops(request)
    except Exception:  # whatever a backbone cannot do while it is counted: the figures stand without it
        flops = None
    return ConditionArithmetic(precision=precision, quantised=quantised, cached=cached, flops=flops)


def measure_cost(table: ConditionTable, arithmetic: ConditionArithmetic) -> Cost:
    """The cost of a condition's pictures."""
    columns = table.read_columns([SECONDS, PASSES, STEERED])
    means = (float(pc.mean(columns[name]).as_py() or 0) for name in columns.column_names)
    return state_cost(arithmetic, *means)


def state_cost(arithmetic: ConditionArithmetic, seconds: float, passes: float, steered: float) -> Cost:
    """The cost of a picture that took so long and so many passes, steered ones included."""
    flops = None if arithmetic.flops is None else PictureFlops(*arithmetic.flops)
    return Cost(
        seconds=seconds,
        passes=passes,
        steered_passes=steered,
        tflop=None if flops is None else flops.of_passes(passes - steered, steered),
        precision=arithmetic.precision,
        quantised=arithmetic.quantised,
        cached=arithmetic.cached,
    )
