"""Semantic agreement of image and sketch, for sketches without strict alignment."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import torch

from lepbench.evaluation.measures.base import MEASURES, Columns, ConditionSamples, Measure, ScoringBatch
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.clip import cosine
from lepbench.metrics.statistics import Draws


@MEASURES.register("semantic")
class Semantic(Measure):
    """Similarity of sketch and picture in one space of both, and accuracy of the class where it is known."""

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return {"sketch_similarity": pa.float32(), "class_true": pa.string(), "class_read": pa.string()}

    @torch.no_grad()
    def count(self, batch: ScoringBatch) -> Columns:
        matching = batch.judges.matching
        alike = cosine(matching.pictures(batch.images), matching.sketches(batch.sketches))
        true = [item.label for item in batch.truths]
        read = batch.judges.classify(batch.images)
        shown = [name if label else None for name, label in zip(read, true, strict=True)]
        return {"sketch_similarity": alike.tolist(), "class_true": true, "class_read": shown}

    def metrics(self, protocol: Protocol) -> list[str]:
        return ["sketch_similarity", "class_accuracy"]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        frame = row.frame
        right = np.where(frame["class_true"].isna(), np.nan, frame["class_read"] == frame["class_true"])
        return {
            "sketch_similarity": row.mean(row.numbers("sketch_similarity")),
            **row.mean_of_known("class_accuracy", right.astype(np.float64)),
        }
