"""Index of tar archives: the samples in them, and where the picture, text and record of each lie."""

from __future__ import annotations

import hashlib
import posixpath
import re
import tarfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lepbench.data.corpus import Reason, Rejected
from lepbench.data.sources.files import MOST_BYTES, check_inside, make_distinct
from lepbench.data.sources.tars import Damage, list_members
from lepbench.files import is_hidden
from lepbench.images import SUFFIXES

FAULTS = tuple(Reason)
ABSENT = (-1, 0)
NOT_RANKED = -1
META = re.compile(r"__[^/]*__($|/)")
"""Names that the loader of WebDataset skips."""
PICTURE_SUFFIXES = tuple(sorted(suffix.lstrip(".") for suffix in SUFFIXES))
TEXT_SUFFIXES = ("caption", "text", "txt")
RECORD_SUFFIX = "json"


class TarMember(IntEnum):
    """The parts of a sample."""

    PICTURE = 0
    TEXT = 1
    RECORD = 2


SETTINGS = {TarMember.PICTURE: "image", TarMember.TEXT: "text"}
"""Settings of the source that choose a part."""


class PartSuffixes(NamedTuple):
    """Suffixes of members that are one part; if `preferred` the first present counts, else one may be."""

    names: tuple[str, ...]
    preferred: bool


class SampleSuffixes(NamedTuple):
    """Which members are the picture and the text of a sample; its record is `RECORD_SUFFIX`."""

    picture: PartSuffixes = PartSuffixes(PICTURE_SUFFIXES, False)
    text: PartSuffixes = PartSuffixes(TEXT_SUFFIXES, False)

    def of(self, part: TarMember) -> PartSuffixes:
        """Those of a part."""
        return (self.picture, self.text, PartSuffixes((RECORD_SUFFIX,), False))[part]


class Contents(NamedTuple):
    """Index of an archive, in order: about sixty bytes per sample, and its key.

    Attributes:
        keys: all keys in UTF-8, one after the other.
        ends: int64 [N], where each key ends.
        parts: int64 [N, 3, 2], of each part where its bytes begin and how many there are; `ABSENT`.
        ranks: int8 [N, 3], of each part the place of its suffix in `PartSuffixes.names`.
        faults: int8 [N], index in `FAULTS` of why it is not a sample; -1 if it is one.
        notes: int32 [N], index in `details`.
        details: of faults, and the unused suffixes of samples that lack a part.
    """

    keys: bytes
    ends: NDArray[np.int64]
    parts: NDArray[np.int64]
    ranks: NDArray[np.int8]
    faults: NDArray[np.int8]
    notes: NDArray[np.int32]
    details: tuple[str, ...]

    def key(self, row: int) -> str:
        """The key of a row, or the name of what is no sample."""
        return self.keys[self.ends[row - 1] if row else 0 : self.ends[row]].decode()

    def detail(self, row: int) -> str:
        """What there is to say of a row that cannot be used."""
        return str(self.details[self.notes[row]])

    def first(self, rows: int) -> Contents:
        """The first rows alone."""
        if rows >= len(self.ends):
            return self
        # Copies: a view would keep the rest.
        columns = ("ends", "parts", "ranks", "faults", "notes")
        some = {name: getattr(self, name)[:rows].copy() for name in columns}
        return self._replace(keys=self.keys[: some["ends"][-1]], **some)

    def sha256(self) -> bytes:
        """The hash of all there is to it."""
        running = hashlib.sha256(self.keys)
        for numbers in (self.ends.data, self.parts.data, self.faults.data):
            running.update(numbers)
        return running.digest()


def read_contents(tars: Iterable[Path], limit: int | None, suffixes: SampleSuffixes) -> Iterator[Contents]:
    """Index of the archives, one after the other, up to a number of rows.

    Raises:
        LepbenchError: see `list_members`.
    """
    left = limit
    for tar in tars:
        held = index_samples(tar, suffixes)
        yield held if left is None else held.first(left)
        if left is not None and (left := left - len(held.ends)) <= 0:
            return


def index_samples(path: Path, suffixes: SampleSuffixes) -> Contents:
    """What an archive holds: members that cannot be used, samples, and where it is damaged.

    Hidden members, and those that WebDataset's loader takes for its own, are passed over.

    Raises:
        LepbenchError: see `list_members`.
    """
    unusable: list[Damage] = []
    damages: list[Damage] = []
    index = SampleIndex(suffixes)
    for member in list_members(path):
        if isinstance(member, Damage):
            damages.append(member)
        elif is_hidden(member.name) or META.match(member.name):
            continue
        elif fault := find_fault(member) or index.add(member):
            unusable.append(Damage(member.name, fault))
    return pack_contents(unusable, index, damages)


class SampleIndex:
    """The samples of an archive while it is read; a member belongs to the sample of its key."""

    def __init__(self, suffixes: SampleSuffixes) -> None:
        self.suffixes = suffixes
        self.rows: dict[str, int] = {}
        self.places, self.ranks = array("q"), array("b")
        self.unused: dict[int, list[str]] = {}
        self.rivals: dict[int, dict[TarMember, set[str]]] = {}
        self._parts: dict[str, list[tuple[TarMember, int]]] = {}
        for part in TarMember:
            for rank, name in enumerate(suffixes.of(part).names):
                self._parts.setdefault(name, []).append((part, rank))

    def add(self, member: tarfile.TarInfo) -> Reason | None:
        """Record the offset of a member in the row of its sample; a repeated suffix is refused."""
        key, suffix = split_key(member.name)
        if key not in self.rows:
            self.rows[key] = len(self.rows)
            self.places.extend(ABSENT * len(TarMember))
            self.ranks.extend([NOT_RANKED] * len(TarMember))
        row, parts = self.rows[key], self._parts.get(suffix)
        if parts is None:
            self.unused.setdefault(row, []).append(suffix)
            return None
        repeated = [self._place(row, part, rank, member) for part, rank in parts]
        return Reason.REPEATED if any(repeated) else None

    def _place(self, row: int, part: TarMember, rank: int, member: tarfile.TarInfo) -> bool:
        """Take a member for a part, unless one of a preferred suffix is there; whether it is there itself."""
        place = row * len(TarMember) + part
        there, wanted = self.ranks[place], self.suffixes.of(part)
        if there == rank:
            return True
        if there != NOT_RANKED and not wanted.preferred:
            rivals = self.rivals.setdefault(row, {}).setdefault(part, set())
            rivals.update((wanted.names[there], wanted.names[rank]))
        if there == NOT_RANKED or rank < there:
            self.ranks[place] = rank
            # What is larger is not read, however large; sizes in headers may go beyond 64 bits.
            at = place * len(ABSENT)
            self.places[at], self.places[at + 1] = member.offset_data, min(member.size, MOST_BYTES + 1)
        return False

    def explain(self, row: int) -> str:
        """Suffixes between which a sample leaves the choice, or those not used of one that lacks a part."""
        if row in self.rivals:
            return "; ".join(
                f"{' and '.join(sorted(names))}, choose with {SETTINGS[part]}"
                for part, names in sorted(self.rivals[row].items())
            )
        ranks = self.ranks[row * len(TarMember) : (row + 1) * len(TarMember)]
        lacks = ranks[TarMember.PICTURE] == NOT_RANKED or max(ranks[TarMember.TEXT :]) == NOT_RANKED
        return f"unused: {', '.join(sorted(self.unused[row]))}" if lacks and row in self.unused else ""


def pack_contents(unusable: Sequence[Damage], index: SampleIndex, damages: Sequence[Damage]) -> Contents:
    """The rows of an archive in arrays: first what is unusable, last where it is damaged."""
    before, after = len(unusable), len(damages)
    names = chain((fault.name for fault in unusable), index.rows, (fault.name for fault in damages))
    keys = [key.encode() for key in make_distinct(names)]
    faults = np.full(len(keys), -1, np.int8)
    faults[:before] = [FAULTS.index(fault.reason) for fault in unusable]
    faults[len(keys) - after :] = [FAULTS.index(fault.reason) for fault in damages]
    faults[[before + row for row in index.rivals]] = FAULTS.index(Reason.AMBIGUOUS)
    details = {"": 0}
    notes = np.zeros(len(keys), np.int32)
    for row in {*index.rivals, *index.unused}:
        notes[before + row] = details.setdefault(index.explain(row), len(details))
    parts = np.array(index.places, np.int64).reshape(-1, len(TarMember), len(ABSENT))
    ranks = np.array(index.ranks, np.int8).reshape(-1, len(TarMember))
    absent = np.broadcast_to(np.array(ABSENT, np.int64), (max(before, after), *parts.shape[1:]))
    lacking = np.full((max(before, after), len(TarMember)), NOT_RANKED, np.int8)
    return Contents(
        keys=b"".join(keys),
        ends=np.cumsum([len(key) for key in keys], dtype=np.int64),
        parts=np.concatenate((absent[:before], parts, absent[:after])),
        ranks=np.concatenate((lacking[:before], ranks, lacking[:after])),
        faults=faults,
        notes=notes,
        details=tuple(details),
    )


def split_key(name: str) -> tuple[str, str]:
    """A member's key, its path up to the first dot of its file name, and the suffix behind that dot."""
    folder, _, file = name.rpartition("/")
    stem, _, suffix = file.partition(".")
    return posixpath.normpath(f"{folder}/{stem}" if folder else stem), suffix.lower()


def find_fault(member: tarfile.TarInfo) -> Reason | None:
    """Why a member cannot be used; None if it can."""
    try:
        check_inside(member.name)
    except Rejected as rejected:
        return rejected.reason
    if member.size < 0:
        return Reason.DAMAGED
    return None if member.isreg() and not member.issparse() else Reason.NOT_PLAIN
