"""The features of a corpus as work for an engine: chunk by chunk, each of which is kept once it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lepbench.engines import Engine, InProcess, Terms
from lepbench.engines.base import EntryProgress
from lepbench.errors import LepbenchError
from lepbench.files import atomic_path
from lepbench.judges import JudgeConfig, Judges, LoadedJudge, load_judge
from lepbench.judges.base import Embed
from lepbench.judges.provenance import PICTURES
from lepbench.pickled import Pickled, pickle_for_workers
from lepbench.progress import Progress
from lepbench.scoring.features import EmbeddedSet, Pictures, embed_pictures
from lepbench.threads import count_threads
from lepbench.trust import is_trusting

SUFFIX = ".safetensors"
CHUNK = 256
"""Pictures that an interruption costs at most; a multiple of the batch."""


@dataclass(frozen=True)
class CorpusPictures:
    """The pictures of a corpus, and what tells it from another without decoding them.

    Attributes:
        pictures: as they are scored.
        source_sha256: over the bytes that the corpus is stored in, wherever it lies.
        size: side of the centre square they are resized to, px; None where they are left as they are.
        reopen: gives the pictures in another process that sees the same files.
    """

    pictures: Pictures
    source_sha256: str
    size: int | None = None
    reopen: Callable[[], Pictures] | None = None


@dataclass(frozen=True)
class Computing:
    """By what features are computed, which changes no number.

    Attributes:
        device: where networks run.
        engine: this process unless given.
        gpus: of each worker, where networks run on GPUs; Ray may divide them.
    """

    device: str
    engine: Engine = field(default_factory=InProcess)
    gpus: float = 1.0

    @property
    def terms(self) -> Terms:
        """How a worker computes: in as many threads as this process, as others round differently."""
        return Terms(count_threads(), self.gpus if self.device.startswith("cuda") else 0.0)


class Embeds(NamedTuple):
    """Networks that give features, by label, and the SHA-256 of their files by `LABEL/NAME`."""

    networks: dict[str, Embed]
    weights: Mapping[str, str]


class ChunkPiece(NamedTuple):
    """Some pictures of a corpus, from a number on."""

    start: int
    entries: int

    @property
    def numbers(self) -> range:
        """Of its pictures."""
        return range(self.start, self.start + self.entries)


@dataclass
class FeatureJob:
    """Pictures and networks: at hand, or opened from what was sent."""

    pictures: Pictures | None = None
    embeds: Embeds | None = None
    asked: Pickled | None = None

    def open(self) -> None:
        """Open the pictures and load the networks.

        Raises:
            LepbenchError: something is missing here, or another file than where the work was begun.
        """
        if self.asked is None:
            return
        with self.asked.read() as (reopen, judges, device, weights):
            self.pictures, self.embeds = reopen(), load_embeds(judges, device)
            if self.embeds.weights != weights:
                raise LepbenchError("a worker has other judges", "give every machine the same files")


def load_embeds(judges: Sequence[JudgeConfig], device: str) -> Embeds:
    """The networks of judges that give features.

    Raises:
        LepbenchError: a judge cannot be loaded.
    """
    loaded: dict[str, LoadedJudge] = {judge.label: load_judge(judge, device) for judge in judges}
    networks = {label: one.features for label, one in loaded.items() if one.features is not None}
    return Embeds(networks, Judges.of(loaded).weights)


def make_feature_job(
    corpus: CorpusPictures, judges: Sequence[JudgeConfig], embeds: Embeds, computing: Computing
) -> FeatureJob:
    """The job for this process, or for those of an engine.

    Raises:
        LepbenchError: the pictures or a judge cannot be sent to other processes.
    """
    if isinstance(computing.engine, InProcess):
        return FeatureJob(corpus.pictures, embeds)
    if corpus.reopen is None:
        raise LepbenchError("pictures at hand are read in this process alone", "take engine here")
    # Each worker sees one accelerator, whatever its number is here.
    device = computing.device.partition(":")[0]
    asked = (corpus.reopen, list(judges), device, dict(embeds.weights))
    return FeatureJob(asked=pickle_for_workers(asked, is_trusting()))


def embed_chunk(job: FeatureJob, piece: ChunkPiece, progress: EntryProgress) -> EmbeddedSet:
    """The features of some pictures."""
    if job.pictures is None or job.embeds is None:
        raise RuntimeError("the job is not open")
    reached = piece.start

    def count(stage: str, done: int, total: int) -> None:
        nonlocal reached
        progress(done - reached)
        reached = done

    return embed_pictures(job.pictures, job.embeds.networks, piece.numbers, count)


def embed_in_chunks(
    job: FeatureJob, pictures: Pictures, parts: Path, computing: Computing, *, progress: Progress
) -> EmbeddedSet:
    """The features of a whole set; chunks whose file is there are read from it.

    Args:
        parts: the folder of the chunks, which this process alone writes.

    Raises:
        LepbenchError: a picture cannot be read, or a file not be written.
    """
    from safetensors.numpy import load_file, save_file

    pieces = [
        ChunkPiece(start, min(CHUNK, pictures.count - start)) for start in range(0, pictures.count, CHUNK)
    ]
    paths = {piece: parts / f"{piece.start:08d}{SUFFIX}" for piece in pieces}
    missing = [piece for piece in pieces if not paths[piece].is_file()]
    done = pictures.count - sum(piece.entries for piece in missing)

    def count(more: int) -> None:
        nonlocal done
        done += more
        progress(pictures.name, done, pictures.count)

    count(0)
    made = computing.engine.run(embed_chunk, job, missing, count, terms=computing.terms) if missing else ()
    for piece, found in made:
        with atomic_path(paths[piece]) as partial:
            # A label holds no capital letter, so none is that of the digests.
            save_file({**found.features, PICTURES.upper(): found.digests}, partial)
    chunks = [load_file(path) for path in paths.values()]
    digests = np.concatenate([chunk.pop(PICTURES.upper()) for chunk in chunks])
    return EmbeddedSet(
        {label: np.concatenate([chunk[label] for chunk in chunks]) for label in chunks[0]}, digests
    )
