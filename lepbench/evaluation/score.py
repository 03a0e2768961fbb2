"""From images to the columns of the samples table, without summarising."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lepbench.evaluation.measures import ScoringBatch, select_measures
from lepbench.evaluation.measures.contract import count_measure
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.sample import Sample
from lepbench.images import Pixels, to_tensor
from lepbench.judges import Judges
from lepbench.suites import Item


def score_pictures(
    pictures: Pixels, samples: Sequence[Sample], truths: Sequence[Item], judges: Judges, protocol: Protocol
) -> list[dict[str, Any]]:
    """All columns of a batch, one mapping per image.

    Args:
        pictures: uint8 [B, H, W, 3], as stored.
        samples: the sample of each image, with its item's and its rival's caption.
        truths: the items whose sketch, contours and mask each is compared with.
    """
    batch = ScoringBatch(to_tensor(pictures), samples, truths=truths, judges=judges, protocol=protocol)
    columns = {k: v for m in select_measures(protocol) for k, v in count_measure(m, batch).items()}
    return [{name: values[i] for name, values in columns.items()} for i in range(len(samples))]
