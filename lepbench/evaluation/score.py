"""From pictures to the columns of the samples table: count, do not summarise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lepbench.evaluation.measures import ScoringBatch, select_measures
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.sample import Sample
from lepbench.images import Pixels, to_tensor
from lepbench.judges import Judges
from lepbench.suites import Item


def score_pictures(
    pictures: Pixels, samples: Sequence[Sample], truths: Sequence[Item], judges: Judges, protocol: Protocol
) -> list[dict[str, Any]]:
    """All that is counted of a batch, one mapping a picture.

    Args:
        pictures: uint8 [B, H, W, 3], as stored.
        samples: what each was drawn for: the captions are its item's and its rival's.
        truths: the items whose sketch, contours and mask each is held against.
    """
    batch = ScoringBatch(to_tensor(pictures), samples, truths, judges, protocol)
    columns = {name: values for m in select_measures(protocol) for name, values in m.count(batch).items()}
    return [{name: values[i] for name, values in columns.items()} for i in range(len(samples))]
