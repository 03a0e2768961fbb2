"""Common settings of the methods that guide the sampler."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from pydantic import (
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.backbones.cost import count_flops, count_pass_flops
from lepbench.config import omit_defaults
from lepbench.guidance import Guidance, SamplerSettings
from lepbench.guidance.execution import Execution
from lepbench.guidance.guidance_schedule import GuidanceSchedule
from lepbench.methods.base import (
    DrawnImages,
    Method,
    MethodConfig,
    Request,
    draw_pictures,
    sample_requests,
    stack_sketches,
)
from lepbench.methods.cost import PictureFlops, count_coding_flops
from lepbench.progress import Progress, ignore_progress


class SteeredConfig(MethodConfig):
    """How hard and how long a method steers; the defaults are the paper's, `GuidanceSchedule`'s too.

    The schedule's keys stand beside the others wherever a configuration is written, and may be given so too.
    """

    later: ClassVar[tuple[str, ...]] = ()
    """Keys that came after the first records; at their defaults they are not written, nor hashed."""
    schedule: GuidanceSchedule = GuidanceSchedule()
    """How the shifts are spread over the steps."""
    scale: float = Field(default=1.6, ge=0, allow_inf_nan=False)
    """The paper's beta: the norm of an update relative to that of the denoising step."""
    stop: float = Field(default=0.5, ge=0, le=1)
    """Guide while t > stop x T_train; 0 guides to the end."""
    emphasis: float | None = Field(default=None, gt=0)
    """Weight of a stroke pixel in the loss relative to a background pixel; None: 1."""
    execution: Execution = Execution()
    """Options that save time or memory."""

    @model_validator(mode="before")
    @classmethod
    def _lift_schedule(cls, given: Any) -> Any:
        """Make a schedule of its keys; a fault in one is reported under that key, as the user wrote it."""
        if not isinstance(given, dict):
            return given
        flat = {key: value for key, value in given.items() if key in GuidanceSchedule.model_fields}
        schedule = given.get("schedule")
        if schedule is not None and (flat or not isinstance(schedule, GuidanceSchedule)):
            keys = ", ".join(GuidanceSchedule.model_fields)
            raise ValueError(f"'schedule' is no key of its own: write its keys beside the others: {keys}")
        rest = {key: value for key, value in given.items() if key not in flat}
        return rest | {"schedule": GuidanceSchedule.model_validate(flat)} if flat else given

    @model_serializer(mode="wrap")
    def _spread_schedule(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The schedule's keys first: records are named by a hash of what is written."""
        settings: dict[str, Any] = plain(self)
        schedule: dict[str, Any] = settings.pop("schedule", {})
        return schedule | omit_defaults(settings, type(self), self.later)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The keys as they are written: what a misspelt one is held against."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        schedule = handler.resolve_ref_schema(schema["properties"].pop("schedule"))
        schema["properties"] |= schedule["properties"]
        return schema


@dataclass(frozen=True)
class SteeredMethod(Method):
    """Samples with a guidance made of the requests' sketches."""

    backbone: Backbone
    sampler: SamplerSettings

    @abstractmethod
    def guide(self, requests: Sequence[Request]) -> Guidance:
        """The guidance of a batch."""

    @property
    def counted(self) -> Backbone:
        return self.backbone

    def measure_flops(self, request: Request) -> PictureFlops:
        scale = self.sampler.guidance_scale
        return count_steered_flops(self.backbone, request, scale, guide=lambda: self.guide([request]).step)

    def draw(self, requests: Sequence[Request]) -> Tensor:
        return draw_pictures(self.backbone, self.sampler, requests, self.guide(requests))

    def draw_with_edges(
        self, requests: Sequence[Request], progress: Progress = ignore_progress
    ) -> DrawnImages:
        guidance = self.guide(requests)
        drawn = sample_requests(self.backbone, self.sampler, requests, guidance=guidance, progress=progress)
        edges = None if drawn.edges is None else partial(self.backbone.decode_latents, drawn.edges)
        return DrawnImages(self.backbone.decode_latents(drawn.latents), edges)


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


def count_steered_flops(
    backbone: Backbone, request: Request, scale: float, guide: Callable[[], Callable[..., Any]]
) -> PictureFlops:
    """Operations of a picture whose sampler is guided.

    Args:
        scale: of classifier-free guidance.
        guide: encodes the sketch, and gives what computes a steered pass of backbone, latents, timestep and
            conditioning.
    """
    size = (request.sketch.shape[0], request.sketch.shape[1])
    once = count_coding_flops(backbone, request.prompt, scale, size) + count_flops(guide)
    latents = torch.zeros(1, *backbone.latent_shape(size), device=backbone.device)
    compute, conditioning = guide(), backbone.encode_prompts([request.prompt])
    timestep = torch.tensor(backbone.train_timesteps - 1, device=backbone.device)
    steered = count_flops(lambda: compute(backbone, latents, timestep, conditioning))
    return PictureFlops(count_pass_flops(backbone, size), steered, once)
