"""What a pipeline of diffusers samples with, where its caller says nothing."""

from __future__ import annotations

import copy
import inspect
from typing import Any

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.family import Size
from lepbench.config import parse_config
from lepbench.guidance.schedulers import set_timesteps
from lepbench.guidance.settings import SamplerSettings


def choose_settings(
    pipe: Any, backbone: Backbone, steps: int | None, scale: float | None, negative: bool
) -> SamplerSettings:
    """Sampler settings; None selects what the pipeline's own call does.

    Args:
        scale: of classifier-free guidance.
        negative: whether there is a negative prompt.
    """
    usual, family = inspect.signature(type(pipe).__call__).parameters, backbone.family
    steps = usual["num_inference_steps"].default if steps is None else steps
    if scale is None and family.needs_negative and not negative:
        scale = family.unguided
    scale = usual[family.scale_name].default if scale is None else scale
    scale = scale if backbone.takes_scale else max(scale, family.unguided)
    return parse_config({"steps": steps, "guidance_scale": scale}, SamplerSettings, "")


def copy_scheduler(pipe: Any, backbone: Backbone, steps: int, latent: Size) -> Any:
    """A copy of the pipeline's scheduler, its timesteps set.

    A new one of its config would lose what was set on it later, as by `set_shift` or by the pipeline.
    """
    scheduler = copy.deepcopy(pipe.scheduler)
    set_timesteps(scheduler, backbone, steps, latent)
    return scheduler
