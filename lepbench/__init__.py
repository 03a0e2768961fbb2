"""lepbench: datasets, latent edge predictors and trusted scores for sketch-guided diffusion.

Functions do what the command line does (`evaluate`, `run_set`, `compare`, `make_table`, `write_report`,
`write_site`, `verify`, `build_data`, `train_lep`, `sample`, `make_suite`, `make_statistics`) or load what it
reads (`load_suite`, `load_record`, `load_triplets`, `load_backbone`, `load_predictor`, `load_mini`).
`SketchGuidedPipeline` guides a loaded diffusers pipeline; `lepbench.metrics` has `torchmetrics.Metric`s.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lepbench.quiet import import_bars
from lepbench.version import __version__

if TYPE_CHECKING:
    from lepbench import metrics as metrics
    from lepbench.api.data import build_data, train_lep
    from lepbench.api.loading import (
        load_backbone,
        load_mini,
        load_predictor,
        load_record,
        load_suite,
        load_triplets,
    )
    from lepbench.api.reports import write_report, write_site
    from lepbench.api.running import compare, evaluate, verify
    from lepbench.api.sampling import sample
    from lepbench.api.sets import run_set
    from lepbench.api.statistics import make_statistics
    from lepbench.api.suites import make_suite
    from lepbench.api.tables import make_table
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
    "make_statistics": "lepbench.api.statistics",
    "make_suite": "lepbench.api.suites",
    "make_table": "lepbench.api.tables",
    "run_set": "lepbench.api.sets",
    "sample": "lepbench.api.sampling",
    "train_lep": "lepbench.api.data",
    "verify": "lepbench.api.running",
    "write_report": "lepbench.api.reports",
    "write_site": "lepbench.api.reports",
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
    "make_statistics",
    "make_suite",
    "make_table",
    "run_set",
    "sample",
    "train_lep",
    "verify",
    "write_report",
    "write_site",
]


# What others call it: a newcomer's first guess, and what to write instead.
_MEANT = {
    "load_mini": ("load_pipeline", "load_pipe", "StableDiffusionPipeline"),
    "SketchGuidedPipeline": ("Pipeline", "DiffusionPipeline", "from_pipe", "from_pretrained", "pipeline"),
    "load_backbone": ("Backbone", "load_model"),
    "load_predictor": ("LEP", "Lep", "Predictor", "load_lep"),
    "load_suite": ("Suite", "datasets", "list_suites", "load_benchmark", "load_dataset", "suite", "suites"),
    "load_triplets": ("Dataset", "Triplets", "data", "load_data", "load_dataset", "triplets"),
    "load_record": ("Record", "load_results", "load_run", "record", "results"),
    "evaluate": ("Benchmark", "Evaluator", "benchmark", "eval", "run", "score", "test"),
    "train_lep": ("Trainer", "fit", "train", "train_predictor"),
    "build_data": ("build", "build_dataset", "make_data", "prepare_data"),
    "make_statistics": ("compute_statistics", "make_stats", "reference_statistics", "statistics"),
    "make_suite": ("build_suite", "create_suite"),
    "write_report": ("html", "make_report", "report"),
    "run_set": ("ablate", "grid", "run_all", "sweep"),
    "sample": ("draw", "generate", "guide", "predict"),
    "metrics": ("EdgeF1", "edge_f1", "f1", "metric"),
}
"""Name -> the names that are meant by it."""


def __getattr__(name: str) -> Any:
    if name == "metrics":
        return importlib.import_module("lepbench.metrics")
    if name in _PLACES:
        # Before diffusers imports them.
        import_bars()
        return getattr(importlib.import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; {_suggest(name)}")


def __dir__() -> list[str]:
    return sorted([*__all__, "metrics"])


def _suggest(name: str) -> str:
    from difflib import get_close_matches

    meant = [f"lepbench.{ours}" for ours, theirs in _MEANT.items() if name in theirs]
    if meant:
        return f"write {' or '.join(meant)}"
    close = get_close_matches(name, [*__all__, "metrics"], n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"it has: {', '.join(__all__)}"
