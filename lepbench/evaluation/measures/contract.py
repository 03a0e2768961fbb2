"""What a measure gives, held against what it must give: one from outside may give anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lepbench.errors import LepbenchError
from lepbench.evaluation.measures.base import (
    MEASURES,
    Columns,
    ConditionSamples,
    Measure,
    ScoringBatch,
    select_measures,
)
from lepbench.evaluation.parts import list_parts
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.statistics import Draws
from lepbench.submitted import explain_faults, is_ours


def list_columns(protocol: Protocol, taken: Sequence[str] = ()) -> list[tuple[str, pa.DataType]]:
    """The columns that a protocol's measures fill, with their types.

    Args:
        taken: names that no measure may use.

    Raises:
        LepbenchError: a measure is unknown here or names none; two names of columns or metrics are equal, or
            a measure reads a column that none counts.
    """
    columns: list[tuple[str, pa.DataType]] = []
    metrics: list[str] = []
    read: dict[str, str] = {}
    for measure in select_measures(protocol):
        with explain_faults(_label(measure), measure):
            kinds = measure.columns(protocol)
            columns += [(name, pa.field(name, kind).type) for name, kind in kinds.items()]
            metrics += measure.metrics(protocol)
            read |= dict.fromkeys(measure.reads(protocol), _label(measure))
    label, names = f"protocol {protocol.name!r}", [name for name, _ in columns]
    _check_unique([*taken, *names], f"{label} has two columns called")
    _check_unique(metrics, f"{label} has two metrics called")
    for name in read:
        if name not in names:
            raise LepbenchError(
                f"{label}: {read[name]} reads column {name!r}, which none counts",
                _suggest_measure(name, protocol),
            )
    return columns


def _suggest_measure(column: str, protocol: Protocol) -> str:
    """What to do about a column that no measure of a protocol counts."""
    able = (name for name in MEASURES if is_ours(MEASURES.get(name)))
    name = next((name for name in able if column in MEASURES.get(name)().columns(protocol)), None)
    return f"add {name!r} to 'measures'" if name else "add its tolerance to 'tolerances'"


def _check_unique(names: list[str], label: str) -> None:
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise LepbenchError(
            f"{label} {twice!r}", "name a measure once, and give its columns and metrics names of their own"
        )


def count_measure(measure: Measure, batch: ScoringBatch) -> Columns:
    """The columns of one measure, one value a picture.

    Raises:
        LepbenchError: a measure from outside, or a detector or judge, raises; or the measure gives other
            columns than it names, not one value a picture, or NaN where it should give None.
    """
    label = _label(measure)
    fix = "correct it; finished batches are kept"
    if is_ours(measure):
        with explain_faults(label, *list_parts(batch.protocol), fix=fix):
            return measure.count(batch)
    # A copy: what a measure from outside writes to images or edges must not reach the others.
    own = replace(batch, images=batch.images.clone())
    with explain_faults(label, measure, fix=fix):
        columns = {name: _as_list(values) for name, values in measure.count(own).items()}
    kinds = measure.columns(batch.protocol)
    if sorted(columns) != sorted(kinds):
        raise LepbenchError(
            f"{label} gave columns {sorted(columns)}", f"give those of columns(): {sorted(kinds)}"
        )
    for name, values in columns.items():
        _check_values(values, kinds[name], len(batch.samples), f"{label}, column {name!r}")
    return columns


def draw_measure(measure: Measure, row: ConditionSamples) -> dict[str, Draws]:
    """The figures of one measure with their resamples.

    Raises:
        LepbenchError: a measure from outside raises, gives a figure that it does not name, or no `Draws`.
    """
    label = _label(measure)
    with explain_faults(label, measure):
        found = dict(measure.draws(row))
    if is_ours(measure):
        return found
    if unknown := sorted(set(found) - set(measure.metrics(row.protocol))):
        raise LepbenchError(f"{label} gave figures {unknown}", "name them in metrics()")
    if odd := [name for name, draws in found.items() if not isinstance(draws, Draws)]:
        kind = type(found[odd[0]]).__name__
        raise LepbenchError(f"{label} gave {kind} for {odd[0]!r}", "return what row.mean(...) returns")
    return found


def _label(measure: Measure) -> str:
    return f"measure {type(measure).__name__!r}"


def _as_list(values: Any) -> list[Any]:
    return list(values.tolist() if hasattr(values, "tolist") else values)


def _check_values(values: list[Any], kind: pa.DataType, count: int, label: str) -> None:
    if len(values) != count:
        raise LepbenchError(f"{label}: {len(values)} values for {count} pictures", "give one each")
    try:
        stored = pa.array(values, kind)
    except (pa.ArrowException, OverflowError) as error:
        raise LepbenchError(f"{label}: {error}", f"give values of type {kind}") from error
    if pa.types.is_floating(kind) and pc.any(pc.is_nan(stored)).as_py():
        raise LepbenchError(f"{label}: NaN", "give None where a value is not defined")
