"""From images to the columns of the samples table, without summarising."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lepbench.evaluation.measures import ScoringBatch, select_measures
from lepbench.evaluation.measures.contract import count_measure
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.sample import Sample
from lepbench.evaluation.schema import list_feature_columns
from lepbench.images import Pixels, to_tensor
from lepbench.judges import Judges
from lepbench.submitted import explain_faults
from lepbench.suites import Item


def score_pictures(
    pictures: Pixels,
    samples: Sequence[Sample],
    *,
    truths: Sequence[Item],
    judges: Judges,
    protocol: Protocol,
    embeds: bool = True,
) -> list[dict[str, Any]]:
    """All columns of a batch, one mapping per image.

    Args:
        pictures: uint8 [B, H, W, 3], as stored.
        samples: the sample of each image, with its item's and its rival's caption.
        truths: the items whose sketch, contours and mask each is compared with.
        embeds: the features by every judge, too.
    """
    batch = ScoringBatch(to_tensor(pictures), samples, truths=truths, judges=judges, protocol=protocol)
    columns = {k: v for m in select_measures(protocol) for k, v in count_measure(m, batch).items()}
    if embeds:
        columns |= {name: embed_batch(batch, name) for name in list_feature_columns(protocol)}
    return [{name: values[i] for name, values in columns.items()} for i in range(len(samples))]


def embed_batch(batch: ScoringBatch, column: str) -> list[Any]:
    """The features of a batch's pictures by the judge that a column is named after, a row a picture.

    Raises:
        LepbenchError: a judge from outside raises, or gives features that are not finite.
    """
    label = column.partition("@")[2]
    embed = batch.judges[label].features
    assert embed is not None
    with explain_faults(f"judge {label!r}", embed):
        return list(batch.embed(embed, label).numpy())
