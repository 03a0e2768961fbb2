"""Which class a picture shows where prompt and sketch name two."""

from __future__ import annotations

import pyarrow as pa
import torch

from lepbench.evaluation.directions import READINGS
from lepbench.evaluation.figure_names import label_figure
from lepbench.evaluation.measures.base import MEASURES, Columns, ConditionSamples, Measure, ScoringBatch
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.statistics import Draws

SKETCH, PROMPT = READINGS
NAMED = {SKETCH: "class_sketch", PROMPT: "class_prompt"}
"""The column of the class that each figure counts."""


@MEASURES.register("conflict")
class Conflict(Measure):
    """Share of pictures that a classifier reads as the sketch's class, and as the prompt's.

    Where both are one class the figures are equal. What is left to 1 is read as a third class.
    """

    neither_is_better = READINGS
    truths = ("label", "prompt_label")
    abilities = ("classes",)

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        labels = protocol.find_labels("classes")
        shown = dict.fromkeys(
            [*NAMED.values(), *(label_figure("class_shown", one) for one in labels)], pa.string()
        )
        return shown | dict.fromkeys(self.metrics(protocol), pa.float32())

    @torch.no_grad()
    def count(self, batch: ScoringBatch) -> Columns:
        named = {
            SKETCH: [item.label for item in batch.truths],
            # A picture has its own prompt, whatever sketch it is compared with.
            PROMPT: [sample.item.prompt_label for sample in batch.samples],
        }
        columns: Columns = {NAMED[name]: classes for name, classes in named.items()}
        figures: Columns = {}
        for label in batch.protocol.find_labels("classes"):
            classify = batch.judges[label].classes
            assert classify is not None
            shown = classify(batch.images, batch.classes)
            columns[label_figure("class_shown", label)] = shown
            for name, classes in named.items():
                figures[label_figure(name, label)] = [
                    None if wanted is None else float(wanted == found)
                    for wanted, found in zip(classes, shown, strict=True)
                ]
        return columns | figures

    def metrics(self, protocol: Protocol) -> list[str]:
        return [label_figure(name, label) for label in protocol.find_labels("classes") for name in NAMED]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        return row.means_of_columns(self.metrics(row.protocol))
