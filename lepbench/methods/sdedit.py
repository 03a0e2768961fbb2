"""Image-to-image from the drawing itself (Meng et al., "SDEdit", 2022): no training and no gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.backbones.cost import count_flops, count_pass_flops
from lepbench.guidance import SamplerSettings
from lepbench.guidance.start import Start, count_skipped, paint_drawing
from lepbench.methods.base import METHODS, Method, MethodConfig, Request, draw_pictures, stack_sketches
from lepbench.methods.cost import PictureFlops, count_coding_flops


@METHODS.register("sdedit")
class SdeditConfig(MethodConfig):
    """How the drawing is painted, and how much of the sampling is done from it."""

    name: Literal["sdedit"] = "sdedit"
    strength: float = Field(default=0.8, gt=0, le=1)
    """The share of the steps that is done: 1 keeps next to nothing of the drawing."""
    blur: float = Field(default=0.0, ge=0, le=256)
    """Sigma in px of the blur of the drawing, black strokes on white; 0: none."""

    def build(self, backbone: Backbone | None, sampler: SamplerSettings) -> Sdedit:
        assert backbone is not None
        count_skipped(sampler.steps, self.strength, backbone.family.flow)
        return Sdedit(backbone, sampler, self)


@dataclass(frozen=True)
class Sdedit(Method):
    """Samples from the noised drawing, which is encoded by the posterior's mode."""

    backbone: Backbone
    sampler: SamplerSettings
    config: SdeditConfig

    @property
    def notes(self) -> tuple[str, ...]:
        steps = self.sampler.steps
        done = steps - count_skipped(steps, self.config.strength, self.backbone.family.flow)
        soft = f"blurred by {self.config.blur:g} px" if self.config.blur else "not blurred"
        return (f"{done} of {steps} steps from the drawing, black on white, {soft}",)

    @property
    def counted(self) -> Backbone:
        return self.backbone

    def start(self, requests: Sequence[Request]) -> Start:
        """The encoded drawings of a batch."""
        drawings = paint_drawing(stack_sketches(requests), self.config.blur)
        return Start(self.backbone.encode_images(drawings), self.config.strength)

    def draw(self, requests: Sequence[Request]) -> Tensor:
        return draw_pictures(self.backbone, self.sampler, requests, start=self.start(requests))

    def measure_flops(self, request: Request) -> PictureFlops:
        size = (request.sketch.shape[0], request.sketch.shape[1])
        once = count_coding_flops(self.backbone, request.prompt, self.sampler.guidance_scale, size)
        once += count_flops(lambda: self.start([request]))
        return PictureFlops(count_pass_flops(self.backbone, size), 0, once)
