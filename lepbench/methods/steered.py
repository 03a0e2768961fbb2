"""What the methods that steer the sampler have in common."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor

from lepbench.guidance.execution import Execution
from lepbench.guidance.guidance_schedule import GuidanceSchedule
from lepbench.methods.base import MethodConfig, Request, stack_sketches


class SteeredConfig(MethodConfig, GuidanceSchedule):
    """How hard and how long a method steers; the defaults are the paper's, `GuidanceSchedule`'s too."""

    scale: float = Field(default=1.6, ge=0)
    """The paper's beta: the length of a shift in lengths of the ordinary step."""
    stop: float = Field(default=0.5, ge=0, le=1)
    """Guide while t > stop x T_train; 0 guides to the end."""
    emphasis: float | None = Field(default=None, gt=0)
    """How much a pixel on a stroke matters in the loss against one of the ground; None: as much."""
    execution: Execution = Execution()
    """What is traded for time or memory."""


def stack_weights(requests: Sequence[Request], emphasis: float | None) -> Tensor | None:
    """Their sketches' weights, float [B, H, W], strokes multiplied; None if all are the same everywhere.

    A request without weights has 1 everywhere.
    """
    if emphasis is None and all(request.weights is None for request in requests):
        return None
    maps = [
        torch.ones(r.sketch.shape) if r.weights is None else torch.from_numpy(r.weights) for r in requests
    ]
    given = torch.stack([weights.float() for weights in maps])
    return given if emphasis is None else given * torch.where(stack_sketches(requests), emphasis, 1.0)
