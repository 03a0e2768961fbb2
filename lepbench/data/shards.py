"""A shard, the unit of a build: a Parquet file and its record, each written atomically."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import FailFast

from lepbench.config import Config, parse_config
from lepbench.data.account import Account, Reject
from lepbench.data.config import check_device
from lepbench.data.entries import hash_state, make_rows
from lepbench.data.job import Job
from lepbench.data.manifest import MOST_VALUES, BuildRecipe, Shard
from lepbench.data.schema import ROW_GROUP, TripletRow, make_arrow_schema
from lepbench.engines.base import EntryProgress
from lepbench.errors import LepbenchError
from lepbench.files import atomic_path, read_json, sha256_file, write_text

AGAIN = "run the build-data command again"


class ShardRecord(Config):
    """The record `shards/NAME.json` of `data/NAME.parquet`: written after it, with its hash."""

    shard: Shard
    rejects: Annotated[tuple[Reject, ...], FailFast()]
    recipe: str
    """Hash of the recipe that the entries were last compared with."""
    state: str
    """Hash over the entries as the corpus had them: names, pictures, captions, faults."""


class ShardSpec(NamedTuple):
    """One shard to be made: its name and the numbers of the entries it tries."""

    name: str
    numbers: range

    @property
    def entries(self) -> int:
        """Number of entries it tries."""
        return len(self.numbers)

    @property
    def data(self) -> str:
        return f"data/{self.name}.parquet"

    @property
    def record(self) -> str:
        return f"shards/{self.name}.json"


def plan_shards(recipe: BuildRecipe) -> list[ShardSpec]:
    """The shards of a recipe, in order."""
    starts = range(0, recipe.limit, recipe.shard_rows)
    return [
        ShardSpec(
            f"{recipe.split}-{number:05d}-of-{len(starts):05d}",
            range(start, min(start + recipe.shard_rows, recipe.limit)),
        )
        for number, start in enumerate(starts)
    ]


def read_record(out: Path, piece: ShardSpec) -> ShardRecord:
    """The record of a shard that was made.

    Raises:
        LepbenchError: it is missing or damaged.
    """
    document = read_json(out / piece.record, AGAIN, MOST_VALUES)
    return parse_config(document, ShardRecord, f"{out / piece.record} is damaged", AGAIN)


def read_kept_record(out: Path, piece: ShardSpec) -> ShardRecord | None:
    """The record of a shard whose file has its recorded bytes; None if it has to be made."""
    try:
        record = read_record(out, piece)
        return record if sha256_file(out / piece.data) == record.shard.sha256 else None
    except (OSError, LepbenchError):
        return None


def keep_shard(job: Job, piece: ShardSpec, progress: EntryProgress) -> Shard | None:
    """The existing shard; None if it has to be made.

    A shard made before the corpus changed is kept if all its entries are unchanged to the byte:
    they are read again, which costs far less than making it.

    Raises:
        LepbenchError: the corpus fails as a whole.
    """
    record = read_kept_record(job.out, piece)
    if record is None:
        return None
    if record.recipe == job.recipe.sha256:
        return record.shard
    if record.state != hash_state(job, piece.numbers):
        return None
    write_record(job.out, piece, record.model_copy(update={"recipe": job.recipe.sha256}))
    return record.shard


def make_shard(job: Job, piece: ShardSpec, progress: EntryProgress) -> Shard:
    """Make the shard.

    Raises:
        LepbenchError: it cannot be written, or the corpus fails as a whole.
    """
    if job.refusal:
        raise LepbenchError(job.refusal, "finish it with those, or choose another --out")
    check_device(job.config.device)
    account = Account(job.recipe.sha256)
    with report_memory_error(piece.data):
        return write_shard(job.out, piece, make_rows(job, piece.numbers, account, progress), account)


@contextmanager
def report_memory_error(what: str) -> Iterator[None]:
    """Report lack of memory in one line."""
    try:
        yield
    except MemoryError as error:
        raise LepbenchError(
            f"not enough memory to make {what}",
            "run the same command with fewer --workers, or lower --max-pixels: it continues",
        ) from error


def drop_rows(out: Path, piece: ShardSpec, dropped: dict[int, Reject]) -> Shard:
    """Write a shard again without some of its rows, numbered within the shard; they become rejects."""
    record = read_kept_record(out, piece)
    if record is None:
        raise LepbenchError(f"{out / piece.data} changed while it was used", "run the same command again")
    stored = pq.ParquetFile(out / piece.data)
    every = chain.from_iterable(batch.to_pylist() for batch in stored.iter_batches(ROW_GROUP))
    left = (row for number, row in enumerate(every) if number not in dropped)
    account = Account(record.recipe, record.state, [*record.rejects, *dropped.values()])
    return write_shard(out, piece, left, account)


def write_shard(out: Path, piece: ShardSpec, left: Iterator[TripletRow], account: Account) -> Shard:
    """Write the rows, then the record; `account` is complete when the rows have been taken.

    Raises:
        LepbenchError: the disk is full, or the folder cannot be written.
    """
    schema, flags, count = make_arrow_schema(), Counter[str](), 0
    with atomic_path(out / piece.data, lasting=True) as partial:
        with pq.ParquetWriter(partial, schema, compression="none") as writer:
            while group := list(islice(left, ROW_GROUP)):
                writer.write_table(pa.Table.from_pylist(group, schema))
                flags.update(flag for row in group for flag in row["flags"])
                count += len(group)
        sha256 = sha256_file(partial)
    shard = Shard(
        file=piece.data,
        entries=piece.entries,
        rows=count,
        rejected=dict(sorted(Counter(str(reject.reason) for reject in account.rejects).items())),
        flags=dict(sorted(flags.items())),
        sha256=sha256,
    )
    rejects = tuple(account.rejects)
    write_record(
        out, piece, ShardRecord(shard=shard, rejects=rejects, recipe=account.recipe, state=account.state)
    )
    return shard


def write_record(out: Path, piece: ShardSpec, record: ShardRecord) -> None:
    """Write the record of an existing shard."""
    write_text(out / piece.record, record.model_dump_json() + "\n", lasting=True)
