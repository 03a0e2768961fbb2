"""The folder of results: its identity and its layout."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from lepbench.errors import LepbenchError
from lepbench.evaluation.condition_table import WORK, ConditionTable
from lepbench.evaluation.conditions import REAL
from lepbench.evaluation.layout import RECORD, SAMPLES
from lepbench.evaluation.record import Identity
from lepbench.evaluation.schema import FEATURES, KEPT
from lepbench.faults import explain
from lepbench.files import atomic_path, list_visible, make_folder, read_json, write_text
from lepbench.on_demand import OnDemand

OWNER = "run.json"
GROUP = 1 << 14
"""Rows of a row group of `samples.parquet`, which are in memory together."""
STATE = "method/state"
"""Among the hashes of a run whose code holds what no hash tells: a number of its own."""


def prepare_folder(out: Path) -> None:
    """Create the folder and check that it is writable, before any slow work.

    Raises:
        LepbenchError: it cannot, or holds files of something else.
    """
    make_folder(out)
    try:
        tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        raise LepbenchError(f"cannot write in {out}: {error.strerror}", "choose a writable folder") from error
    check_strangers(out)


def check_strangers(out: Path) -> None:
    """Refuse an existing folder of something else than a run.

    Raises:
        LepbenchError: it holds other files.
    """
    strangers = [path.name for path in list_visible(out)]
    if strangers and not (out / OWNER).is_file():
        raise LepbenchError(f"{out} holds other files, such as {min(strangers)!r}", "choose another out")


def claim_folder(out: Path, identity: Identity) -> None:
    """Write the run's identity into the folder, or check it.

    A run that was refused before a network drew anything leaves the folder to the next.

    Raises:
        LepbenchError: it belongs to another run; the message names what differs.
    """
    path = out / OWNER
    text = json.dumps(identity.model_dump(mode="json"), indent=1, sort_keys=True) + "\n"
    if holds_work(out):
        check_owner(path, identity)
    elif not path.is_file() or path.read_bytes() != text.encode():
        clear_work(out)
        write_text(path, text)


def check_owner(path: Path, identity: Identity) -> None:
    """Refuse a run that is not the folder's own.

    Args:
        path: of the identity in the folder.

    Raises:
        LepbenchError: it is another, or one that cannot be distinguished from another.
    """
    out, owner = path.parent, read_owner(path)
    if STATE in owner.weights or STATE in identity.weights:
        raise LepbenchError(
            f"{out} holds a run, and whether the code at hand is the same cannot be known",
            "choose another out or name, or delete that folder",
        )
    differing = list_differences(owner, identity)
    if differing:
        raise LepbenchError(
            f"{out} holds the results of another run (differs in {', '.join(differing)})",
            "choose another out or name, or delete that folder",
        )


def list_differences(one: Identity, other: Identity) -> list[str]:
    """What differs between two runs."""
    return [name for name in Identity.model_fields if getattr(one, name) != getattr(other, name)]


def read_owner(path: Path) -> Identity:
    """The identity of the run that a folder belongs to.

    Raises:
        LepbenchError: it cannot be read.
    """
    try:
        return Identity.model_validate(read_json(path, "choose another out"))
    except ValidationError as error:
        raise LepbenchError(f"{path}: {explain(error, Identity)}", "choose another out") from error


def holds_work(out: Path) -> bool:
    """Whether a run left more in the folder than its identity and scores of the real pictures."""
    batches = [path.name for path in (out / WORK).glob("*.parquet")]
    return (out / RECORD).is_file() or any(not name.startswith(f"{REAL.name}-") for name in batches)


def write_samples(out: Path, tables: Sequence[ConditionTable]) -> None:
    """Write `samples.parquet`, batch by batch; its row groups depend on the number of rows alone."""
    kept = [
        field
        for field in tables[0].schema
        if field.name not in dict(KEPT) and not field.name.startswith(f"{FEATURES}@")
    ]
    schema = pa.schema(kept)
    batches = (batch for table in tables for batch in table.read_batches(schema.names))
    with atomic_path(out / SAMPLES) as partial, pq.ParquetWriter(partial, schema) as writer:
        for group in regroup_rows(batches, GROUP):
            writer.write_table(group)


def regroup_rows(batches: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    """The same rows in tables of `size`, and one of those that are left."""
    held: list[pa.Table] = []
    for batch in batches:
        held.append(batch)
        while sum(map(len, held)) >= size:
            whole = pa.concat_tables(held)
            yield whole.slice(0, size).combine_chunks()
            held = [whole.slice(size)]
    if sum(map(len, held)):
        yield pa.concat_tables(held).combine_chunks()


class StoredSamples(OnDemand[pa.Table]):
    """The rows of each condition in `samples.parquet`, by its name; each is read when it is asked for."""

    def __init__(self, out: Path, names: Iterable[str]) -> None:
        super().__init__(names, lambda name: pq.read_table(out / SAMPLES, filters=[("row", "==", name)]))


def clear_work(out: Path) -> None:
    """Drop the finished batches: `samples.parquet` and the pictures hold all of them."""
    shutil.rmtree(out / WORK, ignore_errors=True)
