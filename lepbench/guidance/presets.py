"""Named sets of settings; docs/method-experiments.md has their measurements."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lepbench.config import Config
from lepbench.guidance.guidance_schedule import Repeats
from lepbench.guidance.settings import SamplerSettings
from lepbench.registry import Registry

COUNTS = ("passes", "gradients")
"""What a preset says of its cost; no settings."""


class Preset(Config):
    """Settings of a preset, without the classifier-free guidance scale, which belongs to the backbone.

    Attributes:
        steps, scheduler, timestep_spacing, guidance_stop: as in `SamplerSettings`.
        scale, stop: as in `Guidance`.
        repeats: as in `GuidanceSchedule`.
        passes: of the denoiser, a picture; under classifier-free guidance a step has two.
        gradients: how many of them have a backward pass; both None where nobody counted.
    """

    steps: int
    scheduler: str
    timestep_spacing: str | None = None
    guidance_stop: float = 0.0
    scale: float
    stop: float
    repeats: Repeats | None = None
    passes: int | None = None
    gradients: int | None = None

    def sampler(self, given: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
        """The sampler settings, as keys of `SamplerSettings`, and those given instead; defaults are left out.

        `timestep_spacing` is meant for the preset's scheduler: another one that is given keeps its own.
        """
        own = self.model_dump(include=set(SamplerSettings.model_fields), exclude_defaults=True)
        if given.get("scheduler", self.scheduler) != self.scheduler:
            own.pop("timestep_spacing", None)
        return {**own, **given}

    def steering(self) -> dict[str, object]:
        """The guidance settings, as keys of `lep`; defaults are left out."""
        return self.model_dump(exclude={*SamplerSettings.model_fields, *COUNTS}, exclude_defaults=True)


PRESETS: Registry[Preset] = Registry("preset")
# The authors' settings: 250 DDPM-like steps, and the defaults of their web page.
PRESETS.register("paper")(Preset(steps=250, scheduler="ddim", scale=1.6, stop=0.5, passes=500, gradients=125))
# A twelfth of the passes at no worse figures on mini.
PRESETS.register("fast")(Preset(steps=20, scheduler="unipc", scale=1.2, stop=0.2, passes=40, gradients=16))
# At most 16 passes, and a thirtieth of the cost of the paper's settings, at figures of `fast` on mini.
PRESETS.register("turbo")(
    Preset(
        steps=13,
        scheduler="unipc",
        timestep_spacing="trailing",
        guidance_stop=0.9,
        scale=1.2,
        stop=0.3,
        passes=15,
        gradients=10,
    )
)
# For a backbone into which classifier-free guidance is distilled, and a predictor trained on it.
PRESETS.register("live")(
    Preset(
        steps=6,
        scheduler="unipc",
        timestep_spacing="trailing",
        guidance_stop=1.0,
        scale=1.0,
        stop=0.2,
        passes=6,
        gradients=5,
    )
)
