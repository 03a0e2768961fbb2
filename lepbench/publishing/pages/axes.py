"""Where a figure and its interval lie on the axis of a row of bars."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lepbench.evaluation.figures import Figure

STEPS = (1, 2, 2.5, 5, 10)
"""Steps between ticks, times a power of ten."""
FEW = 4
"""Steps of an axis, at most."""
EDGE = 3.0
"""Per cent that are left free at both ends."""


@dataclass(frozen=True)
class Tick:
    """A number written at an axis, and where, in per cent from its left end."""

    text: str
    place: float


@dataclass(frozen=True)
class Bar:
    """A figure and the ends of its interval, in per cent from the left end of an axis."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Axis:
    """The numbers that a row of bars spans."""

    low: float
    high: float
    step: float

    def place(self, number: float) -> float:
        """Per cent from the left end."""
        share = (number - self.low) / (self.high - self.low)
        return round(EDGE + share * (100 - 2 * EDGE), 2)

    def measure(self, figure: Figure | None) -> Bar | None:
        """The bar of a figure; None where it has no value."""
        if figure is None or figure.value is None:
            return None
        low, high = (None if end is None else self.place(end) for end in (figure.low, figure.high))
        return Bar(self.place(figure.value), low, high)

    @property
    def ticks(self) -> list[Tick]:
        """The numbers that are written."""
        count = round((self.high - self.low) / self.step)
        digits = max(0, -math.floor(math.log10(self.step) + 1e-9)) + (1 if self.step * 10 % 1 else 0)
        numbers = [self.low + number * self.step for number in range(count + 1)]
        return [Tick(f"{number:z.{digits}f}", self.place(number)) for number in numbers]


def make_axis(figures: Iterable[Figure | None], *, from_zero: bool = False) -> Axis | None:
    """An axis that holds figures with their intervals; None where none has a value.

    Args:
        from_zero: whether 0 is on it.
    """
    numbers = [
        number
        for figure in figures
        if figure is not None
        for number in (figure.value, figure.low, figure.high)
        if number is not None
    ]
    if not numbers:
        return None
    low, high = min(numbers), max(numbers)
    if from_zero:
        low, high = min(0.0, low), max(0.0, high)
    if high - low < 1e-9:
        low, high = low - 0.05, high + 0.05
    step = _choose_step((high - low) / FEW)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Axis(first * step, last * step, step)


def _choose_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in STEPS if step * power >= least * (1 - 1e-9))
