"""A submission to a leaderboard: a run, packed with its licence, a contact and the hash of every file."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from lepbench.config import Config, Hash, parse_config
from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import CONDITIONS
from lepbench.evaluation.folder import OWNER, read_owner
from lepbench.evaluation.layout import RECORD, SAMPLES, locate_picture
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.record import Record, read_record
from lepbench.evaluation.samples_table import read_samples
from lepbench.evaluation.schema import FEATURES
from lepbench.files import (
    SYSTEM_NAMES,
    atomic_path,
    explain_unwritable,
    list_visible,
    make_folder,
    read_json,
    sha256_file,
    write_bytes,
)
from lepbench.publishing.leaderboard import add_record
from lepbench.suites import Suite

MANIFEST = "submission.json"
LICENCE = r"^[A-Za-z0-9][A-Za-z0-9.+-]*( (AND|OR|WITH) [A-Za-z0-9][A-Za-z0-9.+-]*)*$"
"""An SPDX identifier or expression, such as `CC-BY-4.0`."""
CONTACT = r"^([^\s@<>\"=+@-][^\s@<>\"]*@[A-Za-z0-9.-]+\.[A-Za-z]{2,}|https://[^\s<>\"]+)$"
"""An address of mail or of a page."""
OLDEST = (1980, 1, 1, 0, 0, 0)
"""The time of files in an archive: the same run gives the same bytes."""


class Submission(Config):
    """Content of `submission.json`."""

    schema_version: Literal[1] = 1
    licence: str = Field(pattern=LICENCE, max_length=100)
    """Of the pictures, as an SPDX identifier."""
    contact: str = Field(pattern=CONTACT, max_length=200)
    """Where the submitter can be asked: an address of mail, or of a page."""
    record: Hash
    """The hash of what was run and of its results, as the board has it."""
    files: dict[str, Hash]
    """SHA-256 of every other file, by its path in the folder."""


def pack_submission(
    folder: Path,
    out: Path,
    suite: Suite,
    *,
    licence: str,
    contact: str,
    protocol: Protocol | None = None,
) -> Submission:
    """Pack a run that a leaderboard takes into a folder, or an archive where `out` ends in `.zip`.

    Args:
        folder: a finished run.
        out: a folder that is empty or is not there, or a file, which is replaced.
        licence: of the pictures, as an SPDX identifier.
        contact: where the submitter can be asked.
        protocol: the required protocol; the suite's own unless given.

    Raises:
        LepbenchError: a board would refuse the run, the licence or contact does not fit its pattern, or `out`
            cannot be written or holds files.
    """
    given = {"licence": licence, "contact": contact, "record": "0" * 64, "files": {}}
    parse_config(given, Submission, "")
    # A board of this run alone: what it refuses is no submission.
    with tempfile.TemporaryDirectory(prefix="lepbench-") as board:
        add_record(folder, Path(board), suite, protocol=protocol)
    record = read_record(folder)
    files = {path: sha256_file(folder / path) for path in sorted(_list_files(folder, record))}
    made = parse_config({**given, "record": record.id, "files": files}, Submission, "")
    manifest = (json.dumps(made.model_dump(mode="json"), indent=1) + "\n").encode()
    write = _write_archive if out.suffix.lower() == ".zip" else _write_folder
    write(folder, out, manifest, list(files))
    return made


def check_source(folder: Path, record: Record) -> None:
    """Refuse a folder that is neither a submission as it was packed nor a run as it was evaluated.

    Raises:
        LepbenchError: it has no manifest, and is not what a run leaves; or see `check_submission`.
    """
    if (folder / MANIFEST).exists():
        check_submission(folder)
    elif not (folder / OWNER).is_file() or read_owner(folder / OWNER) != record.identity:
        raise LepbenchError(
            f"{folder} has no {MANIFEST}, and no {OWNER} of the run that its record is of",
            "give the folder of a run, or a submission as it was unpacked",
        )


def check_submission(folder: Path) -> Submission:
    """The manifest of an unpacked submission, whose files are those that it names, and no others.

    Raises:
        LepbenchError: a file is missing, is another, or is not named.
    """
    path = folder / MANIFEST
    found = parse_config(read_json(path, "pack the run again"), Submission, str(path))
    here = {name for name in _walk(folder) if name != MANIFEST}
    if differing := sorted(here ^ found.files.keys()):
        lacks = "lacks" if differing[0] in found.files else "has beside those it names"
        raise LepbenchError(f"the submission {folder} {lacks} {differing[0]!r}", "unpack it again")
    for name, digest in found.files.items():
        if (folder / name).is_symlink() or sha256_file(folder / name) != digest:
            raise LepbenchError(f"{folder / name} is not the file that {MANIFEST} names", "unpack it again")
    if read_record(folder).id != found.record:
        raise LepbenchError(f"{path} is of another record than {folder / RECORD}", "pack the run again")
    return found


def _walk(folder: Path) -> Iterator[str]:
    """Files and links at any depth, hidden ones among them; not what an operating system leaves."""
    for path in folder.rglob("*"):
        left = any(part.lower() in {*SYSTEM_NAMES, ".ds_store"} for part in path.relative_to(folder).parts)
        if not left and (path.is_symlink() or not path.is_dir()):
            yield path.relative_to(folder).as_posix()


def _list_files(folder: Path, record: Record) -> Iterator[str]:
    """The files of a run that its verification reads, relative to it."""
    yield from (RECORD, SAMPLES, *(f"{FEATURES}/{name}" for name in record.features_sha256))
    for line in read_samples(folder, record.protocol).to_dict("records"):
        if CONDITIONS[line["row"]].borrows is None:
            path = locate_picture(folder, line["row"], line["item_id"], line["sample_index"])
            yield path.relative_to(folder).as_posix()


def _write_folder(folder: Path, out: Path, manifest: bytes, files: list[str]) -> None:
    """Copy files; the manifest last, so that a copy that was stopped is none."""
    if out.exists() and (not out.is_dir() or list_visible(out)):
        raise LepbenchError(f"{out} is not an empty folder", "choose another --out")
    make_folder(out)
    for name in files:
        write_bytes(out / name, (folder / name).read_bytes())
    write_bytes(out / MANIFEST, manifest)


def _write_archive(folder: Path, out: Path, manifest: bytes, files: list[str]) -> None:
    if out.is_dir():
        raise LepbenchError(f"{out} is a folder", "choose another --out")
    with atomic_path(out) as partial:
        try:
            with zipfile.ZipFile(partial, "w") as archive:
                for name in files:
                    archive.writestr(_describe_member(name), (folder / name).read_bytes())
                archive.writestr(_describe_member(MANIFEST), manifest)
        except OSError as error:
            raise explain_unwritable(out, error) from error


def _describe_member(name: str) -> zipfile.ZipInfo:
    """A file of an archive; pictures are compressed already."""
    member = zipfile.ZipInfo(name, OLDEST)
    member.external_attr = 0o644 << 16
    member.compress_type = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
    return member
