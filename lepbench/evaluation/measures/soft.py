"""Agreement of soft edge maps of generated and real image: IoU and MS-SSIM."""

from __future__ import annotations

import pyarrow as pa

from lepbench.detectors import apply_soft_detector
from lepbench.evaluation.measures.base import (
    MEASURES,
    Columns,
    ConditionSamples,
    Measure,
    ScoringBatch,
    stack_maps,
)
from lepbench.evaluation.protocol import Protocol
from lepbench.images import to_tensor
from lepbench.metrics.soft import ms_ssim, soft_iou
from lepbench.metrics.statistics import Draws

NAMES = ("soft_iou", "ms_ssim")


@MEASURES.register("soft")
class Soft(Measure):
    """Overlap and MS-SSIM of soft edge maps with those of the true picture."""

    truths = ("picture",)

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return dict.fromkeys(NAMES, pa.float32())

    def count(self, batch: ScoringBatch) -> Columns:
        detector = batch.protocol.soft_detector
        pictures = to_tensor(stack_maps([item.image for item in batch.truths]).numpy())
        drawn, true = apply_soft_detector(detector, batch.images), apply_soft_detector(detector, pictures)
        return {"soft_iou": soft_iou(drawn, true).tolist(), "ms_ssim": ms_ssim(drawn, true).tolist()}

    def metrics(self, protocol: Protocol) -> list[str]:
        return list(NAMES)

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        return {name: row.mean(row.numbers(name)) for name in NAMES}
