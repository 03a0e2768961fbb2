"""Named sets of settings; docs/method.md has their measurements."""

from __future__ import annotations

from lepbench.config import Config
from lepbench.registry import Registry


class Preset(Config):
    """Settings of a preset, without the classifier-free guidance scale, which belongs to the backbone.

    Attributes:
        steps, scheduler: as in `SamplerSettings`.
        scale, stop: as in `Guidance`.
    """

    steps: int
    scheduler: str
    scale: float
    stop: float

    def sampler(self) -> dict[str, object]:
        """The sampler settings, as keys of `SamplerSettings`."""
        return self.model_dump(include={"steps", "scheduler"})

    def steering(self) -> dict[str, object]:
        """The guidance settings."""
        return self.model_dump(include={"scale", "stop"})


PRESETS: Registry[Preset] = Registry("preset")
# The authors' settings: 250 DDPM-like steps, and the defaults of their web page.
PRESETS.register("paper")(Preset(steps=250, scheduler="ddim", scale=1.6, stop=0.5))
# A twelfth of the passes at no worse figures on mini.
PRESETS.register("fast")(Preset(steps=20, scheduler="unipc", scale=1.2, stop=0.2))
