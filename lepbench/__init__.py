"""lepbench: datasets, latent edge predictors and trusted scores for sketch-guided diffusion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lepbench.version import __version__

if TYPE_CHECKING:
    from lepbench.guidance.pipeline import SketchGuidedPipeline

__all__ = ["SketchGuidedPipeline", "__version__"]


def __getattr__(name: str) -> Any:
    # torch takes seconds to import: only who asks for the pipeline waits.
    if name == "SketchGuidedPipeline":
        from lepbench.guidance.pipeline import SketchGuidedPipeline

        return SketchGuidedPipeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
