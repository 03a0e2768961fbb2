"""lepbench: datasets, latent edge predictors and trusted scores for sketch-guided diffusion.

Functions do what the command line does (`evaluate`, `compare`, `verify`, `build_data`, `train_lep`, `sample`)
or load what it reads (`load_suite`, `load_record`, `load_triplets`, `load_backbone`, `load_predictor`,
`load_mini`).
`SketchGuidedPipeline` guides a loaded diffusers pipeline; `lepbench.metrics` has `torchmetrics.Metric`s.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lepbench.version import __version__

if TYPE_CHECKING:
    from lepbench.api.data import build_data, train_lep
    from lepbench.api.loading import (
        load_backbone,
        load_mini,
        load_predictor,
        load_record,
        load_suite,
        load_triplets,
    )
    from lepbench.api.running import compare, evaluate, verify
    from lepbench.api.sampling import sample
    from lepbench.errors import LepbenchError
    from lepbench.guidance.pipeline import SketchGuidedPipeline


# torch takes seconds to import, so names are imported on first use.
_PLACES = {
    "LepbenchError": "lepbench.errors",
    "SketchGuidedPipeline": "lepbench.guidance.pipeline",
    "build_data": "lepbench.api.data",
    "compare": "lepbench.api.running",
    "evaluate": "lepbench.api.running",
    "load_backbone": "lepbench.api.loading",
    "load_mini": "lepbench.api.loading",
    "load_predictor": "lepbench.api.loading",
    "load_record": "lepbench.api.loading",
    "load_suite": "lepbench.api.loading",
    "load_triplets": "lepbench.api.loading",
    "sample": "lepbench.api.sampling",
    "train_lep": "lepbench.api.data",
    "verify": "lepbench.api.running",
}
"""Name -> the module that has it."""

__all__ = [
    "LepbenchError",
    "SketchGuidedPipeline",
    "__version__",
    "build_data",
    "compare",
    "evaluate",
    "load_backbone",
    "load_mini",
    "load_predictor",
    "load_record",
    "load_suite",
    "load_triplets",
    "sample",
    "train_lep",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    if name == "metrics":
        return importlib.import_module("lepbench.metrics")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; {_suggest(name)}")


def __dir__() -> list[str]:
    return sorted([*__all__, "metrics"])


def _suggest(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, [*__all__, "metrics"], n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"it has: {', '.join(__all__)}"
