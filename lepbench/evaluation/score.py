"""From images to the columns of the samples table, without summarising."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lepbench.errors import LepbenchError
from lepbench.evaluation.measures import Columns, Measure, ScoringBatch, select_measures
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.sample import Sample
from lepbench.images import Pixels, to_tensor
from lepbench.judges import Judges
from lepbench.plugins import hash_code
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


def count_measure(measure: Measure, batch: ScoringBatch) -> Columns:
    """The columns of one measure, one value a picture.

    Raises:
        LepbenchError: an external measure raises, or gives other columns than declared, not one value per
            image, or NaN instead of None.
    """
    if not hash_code(type(measure)):
        return measure.count(batch)
    label = f"measure {type(measure).__name__!r}"
    try:
        columns = {name: _as_list(values) for name, values in measure.count(batch).items()}
    except Exception as error:  # whatever its author left in it
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise LepbenchError(f"{label} failed: {said}", "correct it; finished batches are kept") from error
    kinds = measure.columns(batch.protocol)
    if sorted(columns) != sorted(kinds):
        raise LepbenchError(
            f"{label} gave columns {sorted(columns)}", f"give those of columns(): {sorted(kinds)}"
        )
    for name, values in columns.items():
        _check_values(values, kinds[name], len(batch.samples), f"{label}, column {name!r}")
    return columns


def _as_list(values: Any) -> list[Any]:
    return list(values.tolist() if hasattr(values, "tolist") else values)


def _check_values(values: list[Any], kind: pa.DataType, count: int, label: str) -> None:
    if len(values) != count:
        raise LepbenchError(f"{label}: {len(values)} values for {count} pictures", "give one each")
    try:
        stored = pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise LepbenchError(f"{label}: {error}", f"give values of type {kind}") from error
    if pa.types.is_floating(kind) and pc.any(pc.is_nan(stored)).as_py():
        raise LepbenchError(f"{label}: NaN", "give None where a value is not defined")
