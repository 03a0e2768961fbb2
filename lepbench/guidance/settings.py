"""Sampler settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from lepbench.config import Config
from lepbench.errors import LepbenchError
from lepbench.guidance.schedulers import SCHEDULERS


def _known(name: str) -> str:
    try:
        SCHEDULERS.get(name)
    except LepbenchError as error:
        raise ValueError(str(error)) from None
    return name


class SamplerSettings(Config):
    """Settings of sampling, with or without a sketch.

    Attributes:
        steps: denoising steps.
        scheduler: a name in `guidance.schedulers`.
        guidance_scale: classifier-free guidance; 1 skips the unconditional pass. Where guidance is distilled
            (Flux dev, latent consistency models), the scale that the network is given, from 0.
    """

    steps: int = Field(default=50, ge=1, le=1000)
    scheduler: Annotated[str, AfterValidator(_known)] = "ddim"
    guidance_scale: float = Field(default=4.0, ge=0.0)
