"""Cache of reference conditions between runs: named by what they depend on, and by what they hold.

A condition is a folder: its table, called by its SHA-256, and its pictures, called by theirs. Pictures are
links to those of the run that drew them, where both are on one disk, and no copies.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from lepbench.errors import LepbenchError
from lepbench.evaluation.condition_runner import write_table
from lepbench.evaluation.condition_table import ConditionTable, locate_batch
from lepbench.evaluation.layout import locate_picture
from lepbench.evaluation.reference_store import find_store, limit_store
from lepbench.evaluation.sample import OK, Batch
from lepbench.files import atomic_path, link_file, make_folder, sha256_file

NAMED = ("item_id", "sample_index", "seed", "status", "png_sha256")


@dataclass(frozen=True)
class CachedCondition:
    """The place of a reference condition in the cache.

    Attributes:
        name: of the condition.
        key: the hash of everything that it depends on.
    """

    name: str
    key: str

    @property
    def folder(self) -> Path:
        return find_store() / self.key

    @contextmanager
    def hold(self) -> Iterator[None]:
        """A block in which no other run draws this condition; it is waited for.

        A cache that cannot be written keeps nothing, and none is waited for.
        """
        try:
            lock = FileLock(make_folder(find_store()) / f".{self.key}.lock")
            self._acquire(lock)
        except (LepbenchError, OSError):
            yield
            return
        try:
            yield
        finally:
            lock.release()

    def _acquire(self, lock: FileLock) -> None:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            warnings.warn(f"{self.name}: waiting for another run that draws the same", stacklevel=2)
            lock.acquire()

    def recall(self, out: Path, schema: pa.Schema, batches: dict[int, Batch], count: int) -> bool:
        """Put the batches that are kept into the folder of a run; whether they were.

        Args:
            batches: those that are wanted, by number.
            count: of the batches of the whole condition.

        Warns:
            UserWarning: a file was changed since it was written: the condition is drawn anew.
        """
        for path in sorted(self.folder.glob("*.parquet")):
            if self._is_kept(path, batches, count):
                return self._place_all(out, path, schema, batches)
            warnings.warn(
                f"{path} is not the table that was kept there: it is deleted, and drawn anew", stacklevel=2
            )
            shutil.rmtree(self.folder, ignore_errors=True)
        return False

    def _is_kept(self, path: Path, batches: dict[int, Batch], count: int) -> bool:
        """Whether a table has its hash, a row group a batch with its samples, and their pictures."""
        try:
            if path.stem != sha256_file(path) or pq.read_metadata(path).num_row_groups != count:
                return False
            return all(self._is_whole(path, number, batch) for number, batch in batches.items())
        except (OSError, KeyError, pa.ArrowException):
            return False

    def _is_whole(self, path: Path, number: int, batch: Batch) -> bool:
        with pq.ParquetFile(path) as file:
            lines = file.read_row_group(number, columns=list(NAMED)).to_pylist()
        asked = [(sample.item_id, sample.seed) for sample in batch]
        return [(line["item_id"], line["seed"]) for line in lines] == asked and all(
            sha256_file(self._locate(line["png_sha256"])) == line["png_sha256"] for line in lines
        )

    def _place_all(self, out: Path, path: Path, schema: pa.Schema, batches: dict[int, Batch]) -> bool:
        """Whether all batches were put there; another process may clear the cache meanwhile."""
        try:
            for number in batches:
                self._place(out, path, schema, number)
            path.touch()
        except (FileNotFoundError, pa.ArrowException):
            return False
        return True

    def _place(self, out: Path, path: Path, schema: pa.Schema, number: int) -> None:
        with pq.ParquetFile(path) as file:
            rows = file.read_row_group(number)
        for line in rows.select(list(NAMED)).to_pylist():
            picture = locate_picture(out, self.name, line["item_id"], line["sample_index"])
            link_file(self._locate(line["png_sha256"]), picture)
        write_table(locate_batch(out, self.name, number), rows.select(schema.names).cast(schema))

    def keep(self, out: Path, table: ConditionTable) -> None:
        """Keep a condition of a run without failed samples, if the cache can be written."""
        named = table.read_columns(NAMED)
        if set(named["status"].to_pylist()) != {OK}:
            return
        try:
            for line in named.to_pylist():
                picture = locate_picture(out, self.name, line["item_id"], line["sample_index"])
                link_file(picture, self._locate(line["png_sha256"]))
            place = self.folder / "table.parquet"
            with atomic_path(place) as partial, pq.ParquetWriter(partial, table.schema) as writer:
                for batch in table.read_batches():
                    writer.write_table(batch, row_group_size=max(len(batch), 1))
            place.replace(self.folder / f"{sha256_file(place)}.parquet")
            limit_store(kept=self.key)
        except (LepbenchError, OSError):
            return

    def _locate(self, digest: str) -> Path:
        return self.folder / f"{digest}.png"
