"""The denoising loop with sketch guidance; its names are imported when they are asked for."""

from typing import TYPE_CHECKING

from lepbench.lazy import import_lazily

if TYPE_CHECKING:
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

__getattr__ = import_lazily(
    __name__,
    {
        "CleanGuidance": "lepbench.guidance.clean",
        "Guidance": "lepbench.guidance.steering",
        "SampledLatents": "lepbench.guidance.sampler",
        "SamplerSettings": "lepbench.guidance.settings",
        "Sketch": "lepbench.guidance.sketch",
        "SketchGuidance": "lepbench.guidance.steering",
        "read_sketch": "lepbench.guidance.sketch",
        "sample": "lepbench.guidance.sampler",
    },
)
