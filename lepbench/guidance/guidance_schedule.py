"""Schedule of guidance over the denoising steps; by default one equal update per step, as in the paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from lepbench.config import Config, omit_defaults


class Repeats(Config):
    """Several guidance updates per step at high noise; the gradient is recomputed after each.

    Attributes:
        times: updates per step; each after the first costs a conditional pass and a gradient.
        above: while t > above x T_train.
    """

    times: int = Field(default=2, ge=2, le=16)
    above: float = Field(default=0.8, ge=0, le=1)


class Resampling(Config):
    """Repeated steps with noise added in between (resampling in RePaint, Lugmayr et al., 2022).

    Attributes:
        times: repetitions of each group of steps.
        back: steps in a group.
        above: while t > above x T_train.
    """

    times: int = Field(default=1, ge=1, le=16)
    back: int = Field(default=1, ge=1)
    above: float = Field(default=0.6, ge=0, le=1)


class GuidanceSchedule(Config):
    """Schedule of guidance over the denoising steps.

    Attributes:
        decay: of the update's size over the guided range: none, or to zero at the stop time.
        repeats: several updates per step; None for one.
        every: the gradient is computed at every so many steps, and its direction used again in between.
        travel: resampling; None for none.
    """

    decay: Literal["constant", "linear", "cosine"] = "constant"
    repeats: Repeats | None = None
    travel: Resampling | None = None
    every: int = Field(default=1, ge=1, le=16)

    @model_serializer(mode="wrap")
    def _serialise(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Omit the later key at its default, so that the hashes of schedules without it are unchanged."""
        return omit_defaults(plain(self), type(self), ("every",))

    def strength(self, time: float, stop: float) -> float:
        """Share of the scale at t = `time` x T_train, above the stop time: 1 at t = T_train."""
        left = min(max((time - stop) / (1 - stop), 0.0), 1.0) if stop < 1 else 0.0
        if self.decay == "linear":
            return left
        return (1 - math.cos(math.pi * left)) / 2 if self.decay == "cosine" else 1.0

    def shifts(self, time: float) -> int:
        """Number of guidance updates of the step at t = `time` x T_train."""
        return self.repeats.times if self.repeats is not None and time > self.repeats.above else 1

    def step_order(self, times: Sequence[float]) -> list[int]:
        """Order of the steps, by index into the decreasing `times` (t / T_train).

        An index not above the previous one is a return to an earlier step.
        """
        if self.travel is None:
            return list(range(len(times)))
        # After the last step there is no noise level to return from.
        early = min(sum(time > self.travel.above for time in times), len(times) - 1)
        order: list[int] = []
        for start in range(0, early, self.travel.back):
            stretch = range(start, min(start + self.travel.back, early))
            order += [*stretch] * (self.travel.times + 1)
        return [*order, *range(early, len(times))]
