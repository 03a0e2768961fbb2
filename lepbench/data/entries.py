"""Entries to rows: each becomes a row of the triplets, or a reject with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lepbench.data.account import Account, Reject, make_reject
from lepbench.data.corpus import Original, Reason, Rejected
from lepbench.data.job import Job
from lepbench.data.schema import ROW_GROUP, TripletRow
from lepbench.data.triplet import (
    EdgeMap,
    PreparedPicture,
    find_edges,
    make_row,
    measure_edge_density,
    prepare_picture,
)
from lepbench.engines.base import EntryProgress
from lepbench.errors import LepbenchError

NO_MEMORY = re.compile("out of memory|insufficient memory|allocate memory", re.IGNORECASE)
NO_DEVICE = re.compile("CUDA|cuDNN")
"""Messages of libraries that have no exception type for lack of memory."""


def make_rows(
    job: Job, numbers: Sequence[int], account: Account, progress: EntryProgress
) -> Iterator[TripletRow]:
    """The rows of these entries; entries without a row are added to the rejects, in order."""
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
    """The edge maps of images, or the reason if the detector fails on an image; then each is tried alone.

    Raises:
        MemoryError: there is too little of it.
        LepbenchError: the detector fails for a reason that is not the image.
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
                f"{job.recipe.detector} failed: {what}",
                "correct that, and run the same command again: it continues",
            ) from error
        if len(pictures) > 1:
            return [found for picture in pictures for found in find_maps(job, [picture])]
        height, width = pictures[0].pixels.shape[:2]
        return [Rejected(Reason.DETECTOR_FAILED, f"{width} x {height} px: {what}")]


def lacks_memory(error: Exception) -> bool:
    """Whether a library failed for lack of memory."""
    return isinstance(error, MemoryError) or bool(NO_MEMORY.search(str(error)))


def prepare_entry(job: Job, number: int, account: Account) -> PreparedPicture | Reject:
    """Prepare one entry for edge detection.

    Raises:
        LepbenchError: the corpus fails in a way that is not this entry's fault alone.
    """
    name, found = load_entry(job, number)
    if isinstance(found, Rejected):
        account.note(name, found)
        return make_reject(name, found)
    try:
        with attributing_errors(job, name):
            picture = prepare_picture(name, found, job.config)
    except Rejected as rejected:
        account.note(name, found)
        return make_reject(name, rejected)
    account.note(name, found, picture.sha256)
    return picture


def load_entry(job: Job, number: int) -> tuple[str, Original | Rejected]:
    """An entry's name, and its content or the reason for rejection.

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
    """Turn exceptions into a reject if a file is at fault, else into a one-line error with corpus and entry.

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
            "correct that, and run the same command again: it continues",
        ) from error


def hash_state(job: Job, numbers: range) -> str:
    """The hash over these entries as the corpus has them now."""
    account = Account(job.recipe.sha256)
    for number in numbers:
        account.note(*load_entry(job, number))
    return account.state
