"""The columns of `samples.parquet`, from which every figure of a record derives."""

from __future__ import annotations

import pyarrow as pa

from lepbench.evaluation.cost import PASSES, SECONDS, STEERED
from lepbench.evaluation.figure_names import label_figure
from lepbench.evaluation.measures.base import list_read_abilities
from lepbench.evaluation.measures.contract import list_columns
from lepbench.evaluation.protocol import Protocol

HALVED = "halved"
"""Whether a sample was drawn in half a batch, since memory ran out."""
KEPT = (
    (SECONDS, pa.float64()),
    (PASSES, pa.float64()),
    (STEERED, pa.float64()),
    (HALVED, pa.bool_()),
)
"""What a batch keeps beside its columns while a run goes on."""
FEATURES = "features"
"""What the columns of a batch are called, before @ and the judge's label, that hold features of pictures."""


def make_schema(protocol: Protocol) -> pa.Schema:
    """Columns of `samples.parquet`: the sample's identity, then those of the protocol's measures, in order.

    `row`, `item_id`, `sample_index`, `seed` name the sample; `status` is "ok" or "failed" with a `reason`,
    and all that follows is null where it failed. `png_sha256` is of the stored picture.

    Raises:
        LepbenchError: a measure is unknown here, or does not fit beside the others.
    """
    named = [
        ("row", pa.string()),
        ("item_id", pa.string()),
        ("sample_index", pa.int32()),
        ("seed", pa.int64()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("png_sha256", pa.string()),
    ]
    taken = [*(name for name, _ in named), *(name for name, _ in KEPT), *list_feature_columns(protocol)]
    return pa.schema([*named, *list_columns(protocol, taken)])


def make_work_schema(protocol: Protocol) -> pa.Schema:
    """`make_schema` with the additional columns of unfinished runs: what an image cost, and its features."""
    features = [pa.field(name, pa.list_(pa.float32())) for name in list_feature_columns(protocol)]
    return pa.schema([*make_schema(protocol), *(pa.field(name, kind) for name, kind in KEPT), *features])


def list_feature_columns(protocol: Protocol) -> list[str]:
    """The columns of features, one a judge, while a run goes on; none where no measure reads features."""
    if "features" not in list_read_abilities(protocol):
        return []
    return [label_figure(FEATURES, label) for label in protocol.find_labels("features")]
