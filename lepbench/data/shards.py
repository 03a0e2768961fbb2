"""A shard: what a build makes at a time, a Parquet file and its record, each whole or not there at all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from lepbench.config import Config
from lepbench.data.config import BuildConfig, check_device
from lepbench.data.corpus import Corpus, Entry, Original, Reason, Rejected
from lepbench.data.engines.base import EntryProgress
from lepbench.data.manifest import BuildRecipe, Shard
from lepbench.data.schema import ROW_GROUP, make_arrow_schema
from lepbench.data.triplet import (
    EdgeMap,
    PreparedPicture,
    find_edges,
    make_row,
    measure_edge_density,
    prepare_picture,
)
from lepbench.errors import LepbenchError
from lepbench.files import atomic_path, sha256_bytes, sha256_file, write_text

Row = dict[str, Any]

NO_MEMORY = re.compile("out of memory|insufficient memory|allocate memory", re.IGNORECASE)
NO_DEVICE = re.compile("CUDA|cuDNN")
"""What libraries say that have no type of exception for it."""


class Reject(Config):
    """A line of `rejected.jsonl`."""

    id: str
    reason: Reason
    detail: str


class ShardRecord(Config):
    """What `shards/NAME.json` says of `data/NAME.parquet`: written after it, and telling its hash."""

    shard: Shard
    rejects: tuple[Reject, ...]
    recipe: str
    """Hash of the recipe that the entries were last held against."""
    state: str
    """Hash over the entries as the corpus had them: names, pictures, captions, faults."""


@dataclass
class Account:
    """What a record tells of the entries of a shard; complete when its rows have been taken."""

    recipe: str
    state: str = ""
    rejects: list[Reject] = field(default_factory=list)

    def note(self, name: str, found: Original | Rejected, sha256: str | None = None) -> None:
        """Add what the corpus has of the next entry, with the hash of its picture where that is known."""
        self.state = sha256_bytes(f"{self.state} {describe_entry(name, found, sha256)}".encode())


@dataclass(frozen=True)
class Job:
    """What all shards of a build have in common; it goes to every worker once."""

    out: Path
    corpus: Corpus
    config: BuildConfig
    recipe: BuildRecipe
    refusal: str = ""
    """Why no shard may be made here; those that are whole may still be kept."""


class ShardSpec(NamedTuple):
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


def read_kept_record(out: Path, piece: ShardSpec) -> ShardRecord | None:
    """The record of a shard that is there with its recorded bytes, None where it has to be made."""
    try:
        record = ShardRecord.model_validate_json((out / piece.record).read_bytes())
        return record if sha256_file(out / piece.data) == record.shard.sha256 else None
    except (OSError, ValidationError):
        return None


def keep_shard(job: Job, piece: ShardSpec, progress: EntryProgress) -> Shard | None:
    """The shard that is there, None where it has to be made.

    One that was made before the corpus changed is kept where all its entries are to the byte what they were:
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
    """The shard, made anew.

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
    """Say in one line that something needs more memory than there is."""
    try:
        yield
    except MemoryError as error:
        raise LepbenchError(
            f"not enough memory to make {what}",
            "take fewer --workers, or pictures of fewer --max-pixels; the same command goes on",
        ) from error


def drop_rows(out: Path, piece: ShardSpec, dropped: dict[int, Reject]) -> Shard:
    """Write a shard again without some of its rows, which join its rejects; numbered within the shard."""
    record = read_kept_record(out, piece)
    if record is None:
        raise LepbenchError(f"{out / piece.data} changed while it was used", "run the same command again")
    stored = pq.ParquetFile(out / piece.data)
    every = chain.from_iterable(batch.to_pylist() for batch in stored.iter_batches(ROW_GROUP))
    left = (row for number, row in enumerate(every) if number not in dropped)
    account = Account(record.recipe, record.state, [*record.rejects, *dropped.values()])
    return write_shard(out, piece, left, account)


def write_shard(out: Path, piece: ShardSpec, left: Iterator[Row], account: Account) -> Shard:
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
    """Write what is said of a shard that is there."""
    write_text(out / piece.record, record.model_dump_json() + "\n", lasting=True)


def make_rows(job: Job, numbers: Sequence[int], account: Account, progress: EntryProgress) -> Iterator[Row]:
    """The rows that come of these entries; what comes to none joins the rejects, in the entries' order."""
    for start in range(0, len(numbers), ROW_GROUP):
        some = numbers[start : start + ROW_GROUP]
        outcomes = [prepare_entry(job, number, account) for number in some]
        maps = iter(find_maps(job, [found for found in outcomes if isinstance(found, PreparedPicture)]))
        for found in outcomes:
            if isinstance(found, Reject):
                account.rejects.append(found)
                continue
            edges = next(maps)
            try:
                if isinstance(edges, Rejected):
                    raise edges
                density = measure_edge_density(edges, job.config)
                yield make_row(found, edges, density, corpus=job.corpus, detector=job.recipe.detector)
            except Rejected as rejected:
                account.rejects.append(make_reject(found.id, rejected))
        progress(len(some))


def find_maps(job: Job, pictures: list[PreparedPicture]) -> list[EdgeMap | Rejected]:
    """The maps of pictures; of those that the detector cannot bear, each being tried alone then, the reason.

    Raises:
        MemoryError: there is too little of it.
        LepbenchError: the detector fails in a way that is not a picture's fault.
    """
    try:
        return [*find_edges(pictures, job.config)]
    except LepbenchError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
        if lacks_memory(error):
            raise MemoryError(what) from error
        if isinstance(error, OSError | ImportError) or NO_DEVICE.search(what):
            raise LepbenchError(
                f"{job.recipe.detector} failed: {what}", "when that is mended, the same command goes on"
            ) from error
        if len(pictures) > 1:
            return [found for picture in pictures for found in find_maps(job, [picture])]
        height, width = pictures[0].pixels.shape[:2]
        return [Rejected(Reason.DETECTOR_FAILED, f"{width} x {height} px: {what}")]


def lacks_memory(error: Exception) -> bool:
    """Whether it was for want of memory that a library failed."""
    return isinstance(error, MemoryError) or bool(NO_MEMORY.search(str(error)))


def prepare_entry(job: Job, number: int, account: Account) -> PreparedPicture | Reject:
    """What becomes of one entry before its edges are found.

    Raises:
        LepbenchError: the corpus fails in a way that is not this entry's fault alone.
    """
    name, found = load_entry(job, number)
    if isinstance(found, Rejected):
        account.note(name, found)
        return make_reject(name, found)
    try:
        with attributing_errors(job, name):
            picture = prepare_picture(Entry(name, lambda: found), job.config)
    except Rejected as rejected:
        account.note(name, found)
        return make_reject(name, rejected)
    account.note(name, found, picture.sha256)
    return picture


def load_entry(job: Job, number: int) -> tuple[str, Original | Rejected]:
    """An entry's name, and what the corpus has under it or why it has nothing.

    Raises:
        LepbenchError: the corpus fails in a way that is not this entry's fault alone.
    """
    name = f"entry {number}"
    try:
        with attributing_errors(job, name):
            entry = job.corpus.entry(number)
        name = entry.id
        with attributing_errors(job, name):
            return name, entry.load()
    except Rejected as rejected:
        return name, rejected


@contextmanager
def attributing_errors(job: Job, name: str) -> Iterator[None]:
    """Make of every exception a reject, where it is of a file, or one line that names corpus and entry.

    Raises:
        MemoryError: there is too little of it, which is no entry's fault.
    """
    try:
        yield
    except (Rejected, LepbenchError):
        raise
    except OSError as error:
        raise Rejected(Reason.UNREADABLE_FILE, error.strerror or str(error)) from error
    except Exception as error:
        if lacks_memory(error):
            raise MemoryError from error
        raise LepbenchError(
            f"{job.corpus.label} failed at {name!r}: {type(error).__name__}: {error}",
            "when that is mended, the same command goes on",
        ) from error


def hash_state(job: Job, numbers: range) -> str:
    """The hash over these entries as the corpus has them now."""
    account = Account(job.recipe.sha256)
    for number in numbers:
        account.note(*load_entry(job, number))
    return account.state


def describe_entry(name: str, found: Original | Rejected, sha256: str | None = None) -> str:
    """All that an entry's row or reject may follow from, the picture by its hash."""
    if isinstance(found, Rejected):
        return repr((name, str(found.reason), found.detail))
    if sha256 is None:
        content = found.picture if isinstance(found.picture, bytes) else found.picture.tobytes()
        sha256 = sha256_bytes(content)
    sketch = () if found.sketch is None else (sha256_bytes(found.sketch.content),)
    return repr((name, sha256, found.caption, found.licence, *sketch))


def make_reject(name: str, rejected: Rejected) -> Reject:
    """An entry's line among the rejects."""
    return Reject(id=name, reason=rejected.reason, detail=rejected.detail)
