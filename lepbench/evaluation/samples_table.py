"""`samples.parquet` as a table, once it is of the protocol's columns."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa

from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import CONDITIONS
from lepbench.evaluation.layout import find_samples
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.schema import make_schema
from lepbench.parquet import check_types, read_bounded, read_schema, report_faults, require_values

NAMES = pa.schema(
    [("row", pa.string()), ("item_id", pa.string()), ("sample_index", pa.int32()), ("status", pa.string())]
)
"""Columns that every sample fills, whatever it is measured by."""
AGAIN = "evaluate again"


def read_samples(folder: Path, protocol: Protocol) -> pd.DataFrame:
    """The samples of a run, a line each.

    Raises:
        LepbenchError: the file is missing or damaged, or its columns are of other types, or of no condition.
    """
    path = find_samples(folder)
    check_types(path, read_schema(path, AGAIN)[0], _find_schema(protocol), needed=NAMES.names, fix=AGAIN)
    table = read_bounded(path, fix=AGAIN)
    require_values(path, table, NAMES.names, AGAIN)
    with report_faults(path, AGAIN):
        frame: pd.DataFrame = table.to_pandas()
    if strange := set(frame["row"]) - set(CONDITIONS):
        raise LepbenchError(f"{path} has samples of a condition {min(strange)!r}, which there is not", AGAIN)
    return frame


def read_table(folder: Path, protocol: Protocol) -> pa.Table:
    """The samples of a run, whose columns are those of the protocol and no others.

    Raises:
        LepbenchError: the file is missing or damaged, or has other columns.
    """
    path = find_samples(folder)
    if not read_schema(path, AGAIN)[0].equals(make_schema(protocol)):
        raise LepbenchError(f"{path} has other columns than the protocol", AGAIN)
    return read_bounded(path, fix=AGAIN)


def _find_schema(protocol: Protocol) -> pa.Schema:
    """The columns of a protocol; those that name a sample where its measures are not all known here."""
    try:
        return make_schema(protocol)
    except (LepbenchError, LookupError):
        return NAMES
