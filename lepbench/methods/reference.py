"""What the reference rows of a table are drawn with."""

from __future__ import annotations

from lepbench.backbones.load import Precision
from lepbench.config import Config, Label
from lepbench.guidance import SamplerSettings


class ReferenceModel(Config):
    """A backbone without guidance: it draws the conditions `unguided`, `vae` and `overlay`."""

    backbone: Label
    """Embedded name, folder or hub id."""
    precision: Precision = "float32"
    """Precision of the backbone's weights."""
    sampler: SamplerSettings = SamplerSettings()

    def describe_sampler(self) -> str:
        """How pictures are sampled, such as `ddim, 50 steps, guidance 4`."""
        sampler = self.sampler
        parts = [sampler.scheduler]
        if sampler.timestep_spacing:
            parts.append(f"{sampler.timestep_spacing} timesteps")
        parts += [f"{sampler.steps} steps", f"guidance {sampler.guidance_scale:g}"]
        if sampler.guidance_stop > 0:
            parts.append(f"to {sampler.guidance_stop:g} T")
        if sampler.guidance_every > 1:
            parts.append(f"every {sampler.guidance_every} steps")
        return ", ".join(parts)
