"""Export a finished triplet folder as tar archives in the WebDataset layout: one key per row."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import pyarrow.parquet as pq

from lepbench.config import Config, parse_config
from lepbench.data.build import REJECTED
from lepbench.data.card import CARD, HISTOGRAMS, SHEET
from lepbench.data.check import check, read
from lepbench.data.lock import lock_folder
from lepbench.data.manifest import MOST_VALUES, Manifest
from lepbench.data.schema import TripletRow
from lepbench.errors import LepbenchError
from lepbench.files import atomic_path, list_visible, read_json, sha256_file, write_bytes, write_text
from lepbench.progress import Progress

INDEX = "export.json"
KEY_DIGITS = 9
"""Digits of a key, zero-padded so that keys sort like rows."""
SIGNATURES = {"jpg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n"}
"""First bytes of the two kinds of pictures that shards hold, by suffix."""

ExportLayout = Literal["webdataset"]


class Tar(Config):
    """One finished tar of `rows` rows."""

    file: str
    rows: int
    sha256: str


class ExportIndex(Config):
    """The `export.json` of an export: the hash of its data, and the finished tars."""

    format: ExportLayout
    data: str
    """Hash of the triplets, as their manifest states it."""
    rows_per_tar: int
    tars: tuple[Tar, ...] = ()


class ArchivePart(NamedTuple):
    """One tar to be made: its name and the numbers of its rows in the set."""

    file: str
    numbers: range


def export(
    folder: Path, out: Path, layout: ExportLayout, rows_per_tar: int, progress: Progress
) -> ExportIndex:
    """Check a finished folder, and write its rows as tars with the card and the rejects beside them.

    Row n is `KEY.jpg` or `KEY.png`, `KEY.edges.png`, `KEY.txt` and `KEY.json` (all other columns), with n
    zero-padded for KEY. Pictures keep their bytes. The same triplets give the same tars, to the byte; tars
    that are there already and whole are kept.

    Args:
        progress: called with (stage, done, total): shards checked, then rows written.

    Raises:
        LepbenchError: `folder` is unfinished or damaged, `out` holds other things or cannot be written.
    """
    manifest = check(folder, progress)
    plan = ExportIndex(format=layout, data=str(manifest.sha256), rows_per_tar=rows_per_tar)
    # Checked before locking too, as the lock file must not be written into a folder that is refused.
    begun(out, plan)
    with lock_folder(out):
        index = begun(out, plan)
        for partial_file in out.glob(".*.part"):
            partial_file.unlink(missing_ok=True)
        for part in parts(manifest, rows_per_tar):
            index = with_tar(folder, out, manifest, index=index, part=part)
            progress("rows", part.numbers.stop, manifest.written)
        write_papers(folder, out)
    return index


def begun(out: Path, plan: ExportIndex) -> ExportIndex:
    """The present state of an export, or a new plan.

    Raises:
        LepbenchError: the folder holds other things, or an export of other data or another plan.
    """
    path = out / INDEX
    if not path.exists():
        if out.is_dir() and (foreign := list_visible(out)):
            raise LepbenchError(f"{out} holds {foreign[0].name!r} and no {INDEX}", "choose an empty --out")
        return plan
    fix = "choose another --out"
    there = parse_config(read_json(path, fix, MOST_VALUES), ExportIndex, f"{path} is damaged", fix)
    for key in ("format", "data", "rows_per_tar"):
        if (old := getattr(there, key)) != (new := getattr(plan, key)):
            raise LepbenchError(
                f"{out} holds another export: {key} is {old} there and {new} here", "choose another --out"
            )
    return there


def parts(manifest: Manifest, rows_per_tar: int) -> list[ArchivePart]:
    """The tars of a set, in order, named like the shards."""
    starts = range(0, manifest.written, rows_per_tar)
    # A split may be a path of its own; a file's name may not.
    stem = manifest.recipe.split.replace("/", "-")
    return [
        ArchivePart(
            f"{stem}-{number:05d}-of-{len(starts):05d}.tar",
            range(start, min(start + rows_per_tar, manifest.written)),
        )
        for number, start in enumerate(starts)
    ]


def with_tar(
    folder: Path, out: Path, manifest: Manifest, index: ExportIndex, part: ArchivePart
) -> ExportIndex:
    """The index with this tar, which is written unless a valid one exists.

    Raises:
        LepbenchError: the disk is full, or the folder cannot be written.
    """
    path = out / part.file
    others = {tar.file: tar for tar in index.tars}
    kept = others.pop(part.file, None)
    try:
        if kept and path.is_file() and sha256_file(path) == kept.sha256:
            return index
        with atomic_path(path) as partial:
            write_tar(partial, part, rows(folder, manifest, part.numbers))
            tar = Tar(file=part.file, rows=len(part.numbers), sha256=sha256_file(partial))
        tars = sorted([*others.values(), tar], key=lambda tar: tar.file)
        index = index.model_copy(update={"tars": tuple(tars)})
        write_text(out / INDEX, index.model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise LepbenchError(
            f"cannot write {path}: {error.strerror}",
            "free some space, and run the same command again: it continues",
        ) from error
    return index


def rows(folder: Path, manifest: Manifest, numbers: range) -> Iterator[TripletRow]:
    """The rows of these numbers as stored, one row group in memory at a time."""
    first = 0
    for shard in manifest.shards:
        if first + shard.rows > numbers.start and first < numbers.stop:
            yield from rows_of_shard(folder / shard.file, first, numbers)
        first += shard.rows


def rows_of_shard(path: Path, first: int, numbers: range) -> Iterator[TripletRow]:
    """The rows of these numbers that are in a shard whose first row has the number `first`."""
    with pq.ParquetFile(path) as shard:
        for group in range(shard.num_row_groups):
            count = shard.metadata.row_group(group).num_rows
            start, stop = max(numbers.start - first, 0), min(numbers.stop - first, count)
            if start < stop:
                yield from shard.read_row_group(group).slice(start, stop - start).to_pylist()
            first += count


def write_tar(path: Path, part: ArchivePart, stored: Iterator[TripletRow]) -> None:
    """Write the rows of a part; the bytes follow from the rows alone."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for number, row in zip(part.numbers, stored, strict=True):
            key = f"{number:0{KEY_DIGITS}d}"
            for suffix, content in files_of(row, number):
                # A new TarInfo has no time, no owner and no names.
                member = tarfile.TarInfo(f"{key}.{suffix}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))


def files_of(row: TripletRow, number: int) -> Iterator[tuple[str, bytes]]:
    """Suffix and bytes of the files of a row."""
    other = dict(row)
    image, edges = other.pop("image")["bytes"], other.pop("conditioning_image")["bytes"]
    text = other.pop("text")
    yield picture_suffix(image, number), image
    yield f"edges.{picture_suffix(edges, number)}", edges
    yield "txt", text.encode()
    yield "json", json.dumps(other, ensure_ascii=False, sort_keys=True).encode()


def picture_suffix(content: bytes, number: int) -> str:
    """What kind of picture bytes are, by their first ones.

    Raises:
        LepbenchError: neither PNG nor JPEG.
    """
    for suffix, signature in SIGNATURES.items():
        if content.startswith(signature):
            return suffix
    raise LepbenchError(f"a picture of row {number} is neither PNG nor JPEG", "build the set anew")


def write_papers(folder: Path, out: Path) -> None:
    """Copy rejects, card and its pictures; the card names the tars as the data files.

    Raises:
        LepbenchError: one cannot be read.
    """
    for name in (REJECTED, SHEET, HISTOGRAMS):
        write_bytes(out / name, read(folder / name))
    card = read(folder / CARD).decode()
    write_text(out / CARD, card.replace("path: data/*.parquet", "path: '*.tar'", 1))
