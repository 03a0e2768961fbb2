"""A shard: the unit of work of a build, a Parquet file and its record, each whole or not there at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from lepbench.config import Config
from lepbench.data.config import BuildConfig
from lepbench.data.corpus import Corpus, Reason, Rejected
from lepbench.data.manifest import Recipe, Shard
from lepbench.data.schema import ROW_GROUP, arrow_schema
from lepbench.data.triplet import Picture, edge_density, edges_of, prepare, row_of
from lepbench.errors import LepbenchError
from lepbench.files import atomic_path, sha256_file, write_text

Tried = Callable[[int], None]
"""Told how many more entries have been tried, as the work goes on."""

Row = dict[str, Any]


class Reject(Config):
    """A line of `rejected.jsonl`."""

    id: str
    reason: Reason
    detail: str


class Record(Config):
    """What `shards/NAME.json` says of `data/NAME.parquet`: written after it, and telling its hash."""

    shard: Shard
    rejects: tuple[Reject, ...]


@dataclass(frozen=True)
class Job:
    """What all shards of a build have in common; it goes to every worker once."""

    out: Path
    corpus: Corpus
    config: BuildConfig
    recipe: Recipe
    retry: bool = False
    """Make those shards anew of which an entry failed that may fare better now."""
    refusal: str = ""
    """Why no shard may be made here; those that are whole may still be kept."""


class Piece(NamedTuple):
    """One shard to be made: its name and the numbers of the entries it tries."""

    name: str
    numbers: range

    @property
    def entries(self) -> int:
        """How many it tries."""
        return len(self.numbers)

    @property
    def data(self) -> str:
        return f"data/{self.name}.parquet"

    @property
    def record(self) -> str:
        return f"shards/{self.name}.json"


def pieces(recipe: Recipe) -> list[Piece]:
    """The shards of a recipe, in order."""
    starts = range(0, recipe.limit, recipe.shard_rows)
    return [
        Piece(
            f"{recipe.split}-{number:05d}-of-{len(starts):05d}",
            range(start, min(start + recipe.shard_rows, recipe.limit)),
        )
        for number, start in enumerate(starts)
    ]


def kept_record(out: Path, piece: Piece) -> Record | None:
    """The record of a shard that is there with its recorded bytes, None where it has to be made."""
    try:
        record = Record.model_validate_json((out / piece.record).read_bytes())
        return record if sha256_file(out / piece.data) == record.shard.sha256 else None
    except (OSError, ValidationError):
        return None


def make_shard(job: Job, piece: Piece, tried: Tried) -> Shard:
    """The shard as it is, where it is whole, or made anew.

    Raises:
        LepbenchError: it cannot be written, or the corpus fails as a whole.
    """
    record = kept_record(job.out, piece)
    if record and not (job.retry and any(reject.reason.may_pass for reject in record.rejects)):
        tried(piece.entries)
        return record.shard
    if job.refusal:
        raise LepbenchError(job.refusal, "finish it with those, or choose another --out")
    rejects: list[Reject] = []
    return write_shard(job.out, piece, rows(job, piece.numbers, rejects, tried), rejects)


def drop_rows(out: Path, piece: Piece, dropped: dict[int, Reject]) -> Shard:
    """Write a shard again without some of its rows, which join its rejects; numbered within the shard."""
    record = kept_record(out, piece)
    if record is None:
        raise LepbenchError(f"{out / piece.data} changed while it was used", "run the same command again")
    stored = pq.ParquetFile(out / piece.data)
    every = chain.from_iterable(batch.to_pylist() for batch in stored.iter_batches(ROW_GROUP))
    left = (row for number, row in enumerate(every) if number not in dropped)
    return write_shard(out, piece, left, [*record.rejects, *dropped.values()])


def write_shard(out: Path, piece: Piece, left: Iterator[Row], rejects: list[Reject]) -> Shard:
    """Write the rows, then the record; `rejects` is complete when the rows have been taken.

    Raises:
        LepbenchError: the disk is full, or the folder cannot be written.
    """
    schema, flags, count = arrow_schema(), Counter[str](), 0
    try:
        with atomic_path(out / piece.data) as partial:
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
            rejected=dict(sorted(Counter(str(reject.reason) for reject in rejects).items())),
            flags=dict(sorted(flags.items())),
            sha256=sha256,
        )
        record = Record(shard=shard, rejects=tuple(rejects))
        write_text(out / piece.record, record.model_dump_json() + "\n")
    except OSError as error:
        raise LepbenchError(
            f"cannot write {out / piece.data}: {error.strerror}",
            "make room, and run the same command again: it goes on",
        ) from error
    return shard


def rows(job: Job, numbers: range, rejects: list[Reject], tried: Tried) -> Iterator[Row]:
    """The rows that come of these entries; what comes to none joins `rejects`, in the entries' order."""
    for start in range(0, len(numbers), ROW_GROUP):
        some = numbers[start : start + ROW_GROUP]
        outcomes = [outcome(job, number) for number in some]
        maps = edges_of([found for found in outcomes if isinstance(found, Picture)], job.config)
        for found in outcomes:
            if isinstance(found, Reject):
                rejects.append(found)
                continue
            edges = next(maps)
            try:
                density = edge_density(edges, job.config)
                yield row_of(found, edges, density, job.corpus, job.recipe.detector)
            except Rejected as rejected:
                rejects.append(refused(found.id, rejected))
        tried(len(some))


def outcome(job: Job, number: int) -> Picture | Reject:
    """What becomes of one entry before its edges are found.

    Raises:
        LepbenchError: the corpus fails in a way that is not this entry's fault alone.
    """
    name = f"entry {number}"
    try:
        entry = job.corpus.entry(number)
        name = entry.id
        return prepare(entry, job.config)
    except Rejected as rejected:
        return refused(name, rejected)
    except OSError as error:
        return refused(name, Rejected(Reason.UNREADABLE_FILE, error.strerror or str(error)))
    except LepbenchError:
        raise
    except Exception as error:
        raise LepbenchError(
            f"{job.corpus.label} failed at {name!r}: {type(error).__name__}: {error}",
            "when that is mended, the same command goes on",
        ) from error


def refused(name: str, rejected: Rejected) -> Reject:
    """An entry's line among the rejects."""
    return Reject(id=name, reason=rejected.reason, detail=rejected.detail)
