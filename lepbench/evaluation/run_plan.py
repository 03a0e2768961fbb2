"""What a run draws and scores: every condition in batches of its samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lepbench.evaluation.conditions import ConditionKind, list_conditions
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.sample import Batch, make_batches
from lepbench.methods import ModelConfig
from lepbench.suites import Items, Suite


@dataclass(frozen=True)
class RunPlan:
    """A model on a suite by a protocol.

    Attributes:
        items: of the suite.
        samples_per_item: pictures an item, each from its own noise.
        device: where networks run.
    """

    model: ModelConfig
    suite: Suite
    items: Items
    protocol: Protocol
    samples_per_item: int
    device: str

    @property
    def kinds(self) -> tuple[ConditionKind, ...]:
        """The conditions, in the order of the tables."""
        return list_conditions(self.model, self.suite)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures, px."""
        height, width = self.items[0].sketch.shape
        return height, width

    def make_batches(self, kind: ConditionKind) -> Sequence[Batch]:
        """The batches of a condition; the same wherever they are drawn."""
        per_item = kind.count_samples(self.samples_per_item)
        return make_batches(self.suite, self.items, per_item, self.protocol.batch_size)
