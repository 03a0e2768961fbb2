"""Whether the attributes of a caption survive: colour, texture, what things stand on, and their relation."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from lepbench.evaluation.figure_names import label_figure
from lepbench.evaluation.measures.base import MEASURES, Columns, ConditionSamples, Measure, ScoringBatch
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.attributes import AttributeScores, Look, score_attributes
from lepbench.metrics.statistics import Draws
from lepbench.suites import Item, read_scene

NAMES = tuple(f"{attribute}_accuracy" for attribute in AttributeScores._fields)


@MEASURES.register("attributes")
class Attributes(Measure):
    """Share of the things of the caption that have their colour and texture, and the relation they are in.

    A picture is compared with its own caption, under the wrong sketch, too. Each figure is a mean over the
    pictures in which there is something to have: `pattern_accuracy` is over striped and dotted things alone.
    """

    truths = ("scene",)
    abilities = ("things",)

    def columns(self, protocol: Protocol) -> dict[str, pa.DataType]:
        return dict.fromkeys(self.metrics(protocol), pa.float32())

    def count(self, batch: ScoringBatch) -> Columns:
        items = [sample.item for sample in batch.samples]
        columns: Columns = {}
        for label in batch.protocol.find_labels("things"):
            read = batch.judges[label].things
            assert read is not None
            scores = [score_item(seen, item) for seen, item in zip(read(batch.images), items, strict=True)]
            for name, values in zip(NAMES, zip(*scores, strict=True), strict=True):
                columns[label_figure(name, label)] = list(values)
        return columns

    def metrics(self, protocol: Protocol) -> list[str]:
        return [label_figure(name, label) for label in protocol.find_labels("things") for name in NAMES]

    def draws(self, row: ConditionSamples) -> dict[str, Draws]:
        return row.means_of_columns(self.metrics(row.protocol))


def score_item(seen: Sequence[Look], item: Item) -> tuple[float | None, ...]:
    """The `AttributeScores` of a picture for the scene of an item.

    None of one without a scene, or whose prompt names another thing than the scene has.

    As many things are looked at as there should be, the largest.
    """
    scene = read_scene(item.scene)
    if scene is None or (item.prompt_label != item.label and item.prompt_label is not None):
        return (None,) * len(NAMES)
    asked = [Look(*thing, background=scene.background) for thing in scene.things]
    return score_attributes(seen[: len(asked)], asked, scene.relation)
