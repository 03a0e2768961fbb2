"""The denoising loop with sketch guidance."""

from lepbench.guidance.clean import CleanGuidance
from lepbench.guidance.sampler import SampledLatents, sample
from lepbench.guidance.settings import SamplerSettings
from lepbench.guidance.sketch import Sketch, read_sketch
from lepbench.guidance.steering import Guidance, SketchGuidance

__all__ = [
    "CleanGuidance",
    "Guidance",
    "SampledLatents",
    "SamplerSettings",
    "Sketch",
    "SketchGuidance",
    "read_sketch",
    "sample",
]
