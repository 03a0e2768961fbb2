"""What the reference rows of a table are drawn with."""

from __future__ import annotations

from lepbench.backbones.load import Precision
from lepbench.config import Config
from lepbench.guidance import SamplerSettings


class ReferenceModel(Config):
    """A backbone without guidance: it draws the conditions `unguided`, `vae` and `overlay`."""

    backbone: str
    """Embedded name, folder or hub id."""
    precision: Precision = "float32"
    """Precision of the backbone's weights."""
    sampler: SamplerSettings = SamplerSettings()

    def describe_sampler(self) -> str:
        """How pictures are sampled, such as `ddim, 50 steps, guidance 4`."""
        sampler = self.sampler
        return f"{sampler.scheduler}, {sampler.steps} steps, guidance {sampler.guidance_scale:g}"
