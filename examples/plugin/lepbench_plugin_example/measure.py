"""Does a picture have as many edges as its sketch has strokes?"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from lepbench.evaluation.measures import MEASURES, Columns, ConditionSamples, Measure, ScoringBatch
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.statistics import Draws


@MEASURES.register("ink")
class Ink(Measure):
    """The share of edge pixels that are too many or too few: |edges / strokes - 1|, mean over samples."""

    lower_is_better = ("ink_error",)

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return {"ink_edges": pa.int32(), "ink_strokes": pa.int32()}

    def count(self, batch: ScoringBatch) -> Columns:
        return {
            "ink_edges": batch.edges.sum(dim=(1, 2)).tolist(),
            "ink_strokes": batch.sketches.sum(dim=(1, 2)).tolist(),
        }

    def metrics(self, protocol: Protocol) -> list[str]:
        return ["ink_error"]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        edges, strokes = row.numbers("ink_edges"), row.numbers("ink_strokes")
        # An empty sketch has no error: NaN, which the mean leaves out.
        ratio = np.divide(edges, strokes, out=np.full_like(edges, np.nan), where=strokes > 0)
        return row.mean_of_known("ink_error", np.abs(ratio - 1))
