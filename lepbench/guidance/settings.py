"""Sampler settings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, model_serializer

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
        guidance_scale: classifier-free guidance; 1, for Z-Image 0, skips the unconditional pass. Where
            guidance is distilled (Flux dev, latent consistency models), the scale that the network is given,
            from 0.
        negative_prompt: text that the unconditional half of classifier-free guidance reads; empty for the
            family's own unconditional embeddings.
    """

    steps: int = Field(default=50, ge=1, le=1000)
    scheduler: Annotated[str, AfterValidator(_known)] = "ddim"
    guidance_scale: float = Field(default=4.0, ge=0.0, allow_inf_nan=False)
    negative_prompt: str = ""

    @model_serializer(mode="wrap")
    def _serialise(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Omit the empty negative prompt, so that the hashes of samplers without this key are unchanged."""
        settings: dict[str, Any] = plain(self)
        if not self.negative_prompt:
            settings.pop("negative_prompt", None)
        return settings
