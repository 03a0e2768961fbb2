"""Agreement of image and caption by CLIP."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import torch

from lepbench.evaluation.measures.base import (
    MEASURES,
    Columns,
    ConditionSamples,
    Measure,
    Scores,
    ScoringBatch,
)
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.clip import cosine, skill_of_means
from lepbench.metrics.statistics import Draws

NAMES = ("clip_similarity", "clip_wrong_similarity")


@MEASURES.register("captions")
class Captions(Measure):
    """Similarity to the item's caption: raw, as the published 100-fold score, and between wrong and real."""

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return dict.fromkeys(NAMES, pa.float32())

    @torch.no_grad()
    def count(self, batch: ScoringBatch) -> Columns:
        scorer = batch.judges.scorer
        own = scorer.text_features([sample.item.prompt for sample in batch.samples])
        wrong = scorer.text_features([sample.rival.prompt for sample in batch.samples])
        similarities = (cosine(batch.features, text).tolist() for text in (own, wrong))
        return dict(zip(NAMES, similarities, strict=True))

    def metrics(self, protocol: Protocol) -> list[str]:
        return ["clip_similarity", "clip_score", "clip_skill"]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        raw = row.numbers("clip_similarity")
        found = {"clip_similarity": row.mean(raw), "clip_score": row.mean(np.maximum(100 * raw, 0))}
        table, there = build_skill_table(row)
        if there.any():
            found["clip_skill"] = row.bootstrap(table[there], row.items[there], skill_of_means)
        return found


def build_skill_table(row: ConditionSamples) -> tuple[Scores, np.ndarray]:
    """Columns (x, wrong, real) that `clip_skill` is made of, [N, 3], and where all are known, bool [N]."""
    known = row.real.reindex(row.items)
    columns = [row.numbers("clip_similarity")]
    columns += [known[name].to_numpy(np.float64) for name in ("clip_wrong_similarity", "clip_similarity")]
    table = np.stack(columns, axis=1)
    return table, np.asarray(np.isfinite(table).all(axis=1))
