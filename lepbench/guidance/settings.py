"""Sampler settings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, model_serializer

from lepbench.config import Config, omit_defaults
from lepbench.errors import LepbenchError
from lepbench.guidance.schedulers import SCHEDULERS


def _known(name: str) -> str:
    try:
        SCHEDULERS.get(name)
    except LepbenchError as error:
        raise ValueError(str(error)) from None
    return name


LATER = ("timestep_spacing", "guidance_stop", "guidance_every", "negative_prompt")
"""Keys that came after the first records; at their defaults they are not written, nor hashed."""


class SamplerSettings(Config):
    """Settings of sampling, with or without a sketch.

    Attributes:
        steps: denoising steps.
        scheduler: a name in `guidance.schedulers`.
        guidance_scale: classifier-free guidance; 1, for Z-Image 0, skips the unconditional pass. Where
            guidance is distilled (Flux dev, latent consistency models), the scale that the network is given,
            from 0.
        timestep_spacing: of the scheduler, as in diffusers; None for the backbone's.
        guidance_stop: classifier-free guidance while t > guidance_stop x T_train; later steps are conditional
            passes alone (Kynkäänniemi et al., 2024, "Applying Guidance in a Limited Interval").
        guidance_every: the unconditional pass is computed at every so many steps, and the difference of the
            two predictions used again in between.
        negative_prompt: text that the unconditional half of classifier-free guidance reads; empty for the
            family's own unconditional embeddings.
    """

    steps: int = Field(default=50, ge=1, le=1000)
    scheduler: Annotated[str, AfterValidator(_known)] = "ddim"
    guidance_scale: float = Field(default=4.0, ge=0.0, allow_inf_nan=False)
    timestep_spacing: Literal["leading", "linspace", "trailing"] | None = None
    guidance_stop: float = Field(default=0.0, ge=0.0, le=1.0)
    guidance_every: int = Field(default=1, ge=1)
    negative_prompt: str = ""

    @model_serializer(mode="wrap")
    def _serialise(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Omit later keys at their defaults, so that the hashes of samplers without them are unchanged."""
        return omit_defaults(plain(self), type(self), LATER)
