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
        EdgeF1,
        FrechetDistance,
        KernelDistance,
        MaskIoU,
        MultiScaleSSIM,
        OneToOneF1,
        SoftIoU,
        StrokeRecall,
        StrokesFound,
    )

__all__ = [
    "BoundaryBenchmark",
    "ChamferDistance",
    "ClassAccuracy",
    "ClipScore",
    "ClipSimilarity",
    "EdgeF1",
    "FrechetDistance",
    "KernelDistance",
    "MaskIoU",
    "MultiScaleSSIM",
    "OneToOneF1",
    "SoftIoU",
    "StrokeRecall",
    "StrokesFound",
]


def __getattr__(name: str) -> Any:
    # torchmetrics takes seconds to import, and most of lepbench needs the functions alone.
    if name in __all__:
        from lepbench.metrics import modules

        return getattr(modules, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
