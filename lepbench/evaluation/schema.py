"""The columns of `samples.parquet`, from which every figure of a record derives."""

from __future__ import annotations

import pyarrow as pa

from lepbench.evaluation.measures import measures_of
from lepbench.evaluation.protocol import Protocol


def schema_of(protocol: Protocol) -> pa.Schema:
    """Columns of `samples.parquet`: who, then what the protocol's measures counted, in their order.

    `row`, `item_id`, `sample_index`, `seed` name the sample; `status` is "ok" or "failed" with a `reason`,
    and all that follows is null where it failed. `png_sha256` is of the stored picture.
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
    counted = [column for m in measures_of(protocol) for column in m.columns(protocol).items()]
    return pa.schema([*named, *counted])


def work_schema_of(protocol: Protocol) -> pa.Schema:
    """`schema_of`, and what a unit keeps beside it while a run goes on: the picture and its seconds."""
    return schema_of(protocol).append(pa.field("png", pa.binary())).append(pa.field("seconds", pa.float64()))
