"""Metrics as pure functions of tensors, one file each, and their `torchmetrics.Metric`s."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lepbench.metrics.modules import (
        BoundaryBenchmark,
        ChamferDistance,
        ClassAccuracy,
        ClipScore,
        ClipSimilarity,
        Coverage,
        Density,
        EdgeF1,
        FrechetDistance,
        KernelDistance,
        MaskIoU,
        MultiScaleSSIM,
        OneToOneF1,
        PairwiseDiversity,
        SoftIoU,
        StrokeRecall,
        StrokesFound,
        VendiScore,
    )

__all__ = [
    "BoundaryBenchmark",
    "ChamferDistance",
    "ClassAccuracy",
    "ClipScore",
    "ClipSimilarity",
    "Coverage",
    "Density",
    "EdgeF1",
    "FrechetDistance",
    "KernelDistance",
    "MaskIoU",
    "MultiScaleSSIM",
    "OneToOneF1",
    "PairwiseDiversity",
    "SoftIoU",
    "StrokeRecall",
    "StrokesFound",
    "VendiScore",
]


def __getattr__(name: str) -> Any:
    # torchmetrics takes seconds to import, and most of lepbench needs the functions alone.
    if name in __all__:
        from lepbench.metrics import modules

        return getattr(modules, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; {_suggest(name)}")


def __dir__() -> list[str]:
    return sorted(__all__)


def _suggest(name: str) -> str:
    from difflib import get_close_matches

    # Names differ by their capitals more than by their letters: edge_f1, edgef1, EdgeF1.
    plain = {one.lower(): one for one in __all__}
    close = get_close_matches(name.lower().replace("_", ""), plain, n=1, cutoff=0.5)
    return f"did you mean {plain[close[0]]!r}?" if close else f"it has: {', '.join(__all__)}"
