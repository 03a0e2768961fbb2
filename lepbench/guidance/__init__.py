"""The denoising loop, and the gradient that steers it towards a sketch."""

from lepbench.guidance.sampler import SamplerSettings, Samples, SketchGuidance, sample
from lepbench.guidance.sketch import Sketch, read_sketch

__all__ = ["SamplerSettings", "Samples", "Sketch", "SketchGuidance", "read_sketch", "sample"]
