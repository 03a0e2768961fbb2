"""Agreement of image and caption by CLIP."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import torch

from lepbench.evaluation.figure_names import label_figure
from lepbench.evaluation.measures.base import (
    MEASURES,
    Columns,
    ConditionSamples,
    Measure,
    Scores,
    ScoringBatch,
    require_finite,
)
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.clip import cosine, skill_of_means
from lepbench.metrics.statistics import Draws

NAMES = ("clip_similarity", "clip_wrong_similarity")
FIGURES = ("clip_similarity", "clip_score", "clip_skill")


@MEASURES.register("captions")
class Captions(Measure):
    """Similarity to the item's caption: raw, as the published 100-fold score, and between wrong and real."""

    abilities = ("captions",)

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        names = (name for label in protocol.find_labels("captions") for name in name_similarities(label))
        return dict.fromkeys(names, pa.float32())

    @torch.no_grad()
    def count(self, batch: ScoringBatch) -> Columns:
        captions = (
            [sample.item.prompt for sample in batch.samples],
            [sample.rival.prompt for sample in batch.samples],
        )
        columns: Columns = {}
        for label in batch.protocol.find_labels("captions"):
            scorer = batch.judges[label].captions
            assert scorer is not None
            pictures = batch.embed(scorer.image_embedding, label)
            texts = (require_finite(scorer.text_features(some), label) for some in captions)
            similarities = [cosine(pictures, text).tolist() for text in texts]
            columns |= dict(zip(name_similarities(label), similarities, strict=True))
        return columns

    def metrics(self, protocol: Protocol) -> list[str]:
        labels = protocol.find_labels("captions")
        return [label_figure(name, label) for label in labels for name in FIGURES]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        found = {}
        for label in row.protocol.find_labels("captions"):
            raw = row.numbers(label_figure("clip_similarity", label))
            found[label_figure("clip_similarity", label)] = row.mean(raw)
            found[label_figure("clip_score", label)] = row.mean(np.maximum(100 * raw, 0))
            table, there = build_skill_table(row, label)
            if there.any():
                skill = row.bootstrap(table[there], row.items[there], skill_of_means)
                found[label_figure("clip_skill", label)] = skill
        return found


def name_similarities(label: str) -> list[str]:
    """The columns of a judge's similarities."""
    return [label_figure(name, label) for name in NAMES]


def build_skill_table(row: ConditionSamples, label: str) -> tuple[Scores, np.ndarray]:
    """Columns (x, wrong, real) that `clip_skill` is made of, [N, 3], and where all are known, bool [N]."""
    similar, wrong = name_similarities(label)
    known = row.real.reindex(row.items)
    columns = [row.numbers(similar), *(known[name].to_numpy(np.float64) for name in (wrong, similar))]
    table = np.stack(columns, axis=1)
    return table, np.asarray(np.isfinite(table).all(axis=1))
