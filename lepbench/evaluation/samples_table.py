"""`samples.parquet` as a table, once it is of the protocol's columns."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import CONDITIONS
from lepbench.evaluation.layout import find_samples
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.schema import make_schema
from lepbench.parquet import check_types, read_bounded, read_schema, report_faults, require_values

NAMING = ("row", "item_id", "sample_index", "status")
"""Columns that every sample fills."""
AGAIN = "evaluate again"


def read_samples(folder: Path, protocol: Protocol) -> pd.DataFrame:
    """The samples of a run, a line each.

    Raises:
        LepbenchError: the file is missing or damaged, or its columns are of other types, or of no condition.
    """
    path = find_samples(folder)
    schema = make_schema(protocol)
    check_types(path, read_schema(path, AGAIN)[0], schema, NAMING, AGAIN)
    table = read_bounded(path, fix=AGAIN)
    require_values(path, table, NAMING, AGAIN)
    with report_faults(path, AGAIN):
        frame = table.to_pandas()
    if strange := set(frame["row"]) - set(CONDITIONS):
        raise LepbenchError(f"{path} has samples of a condition {min(strange)!r}, which there is not", AGAIN)
    return frame
