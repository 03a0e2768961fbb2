"""Features of the real pictures of a corpus by several judges, made once and kept in a folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lepbench.config import Config, parse_config
from lepbench.errors import LepbenchError
from lepbench.files import make_folder, read_json, sha256_bytes, sha256_file, write_text
from lepbench.judges import JudgeConfig
from lepbench.judges.base import require_labels, select_able
from lepbench.judges.provenance import (
    Provenance,
    describe_judge,
    hash_judge,
    hash_pictures,
    save_features,
)
from lepbench.progress import Progress
from lepbench.scoring.feature_job import (
    SUFFIX,
    Computing,
    CorpusPictures,
    embed_in_chunks,
    load_embeds,
    make_feature_job,
)

LISTING = "statistics.json"
PARTS = ".parts"
"""Folder of what an interrupted run has finished."""


class JudgeEntry(Config):
    """The features by one judge."""

    name: str
    """The hash of corpus, judge, resize and number."""
    judge_sha256: str
    file_sha256: str
    dimensions: int


class Statistics(Config):
    """Content of `statistics.json`: the pictures, and the features of them by the judges' labels."""

    corpus: str
    """What the corpus was called; not part of any hash."""
    source_sha256: str
    corpus_sha256: str
    """Over the pixels of the pictures as they were scored, in order."""
    size: int | None
    n: int
    repeated: int
    """How many pictures have the pixels of an earlier one."""
    judges: dict[str, JudgeEntry]


def make_statistics(
    corpus: CorpusPictures,
    judges: Sequence[JudgeConfig],
    out: Path,
    computing: Computing,
    *,
    progress: Progress,
) -> Statistics:
    """Write the features of a corpus by every judge that gives any, `LABEL.safetensors`, and a listing.

    What is there is kept; the same call goes on after an interruption.

    Args:
        judges: those without features are passed over.
        computing: who computes them, which changes no number.
        progress: called with (stage, done, total).

    Raises:
        LepbenchError: no judge gives features, or two have one label; a picture or judge cannot be read;
            `out` holds features of another corpus, or by another judge of the same label.
    """
    wanted = select_featuring(judges)
    known = read_statistics(out) if (out / LISTING).is_file() else None
    if known is not None:
        _require_same_corpus(known, corpus, out)
    lacking = [judge for judge in wanted if known is None or not _is_made(known, judge, out)]
    if known is not None and not lacking:
        return known
    made = _make_lacking(corpus, lacking, out, computing, progress=progress)
    if known is not None and known.corpus_sha256 != made.corpus_sha256:
        raise LepbenchError(f"{out} holds features of other pictures", "choose another --out, or remove it")
    merged = made.model_copy(update={"judges": {**(known.judges if known else {}), **made.judges}})
    write_text(out / LISTING, json.dumps(merged.model_dump(mode="json"), indent=2) + "\n")
    shutil.rmtree(out / PARTS, ignore_errors=True)
    return merged


def read_statistics(folder: Path) -> Statistics:
    """The listing of a folder of `make_statistics`.

    Raises:
        LepbenchError: it cannot be read.
    """
    path, again = folder / LISTING, "run 'lepbench statistics make' into another folder"
    return parse_config(read_json(path, again), Statistics, str(path), again)


def select_featuring(judges: Sequence[JudgeConfig]) -> list[JudgeConfig]:
    """The judges that give features.

    Raises:
        LepbenchError: none does, or two have one label.
    """
    found = select_able(judges, "features", "gives features of pictures", such_as="dinov2")
    try:
        require_labels(found)
    except ValueError as error:
        raise LepbenchError(str(error)) from error
    return found


def _require_same_corpus(known: Statistics, corpus: CorpusPictures, out: Path) -> None:
    here = {"content": corpus.source_sha256, "size": corpus.size, "number of pictures": corpus.pictures.count}
    there = {"content": known.source_sha256, "size": known.size, "number of pictures": known.n}
    if differing := [key for key in here if here[key] != there[key]]:
        raise LepbenchError(
            f"{out} holds features of another corpus than {corpus.pictures.name}: it has another "
            f"{' and '.join(differing)}",
            "choose another --out, or remove it",
        )


def _is_made(known: Statistics, judge: JudgeConfig, out: Path) -> bool:
    entry, path = known.judges.get(judge.label), out / f"{judge.label}{SUFFIX}"
    if entry is None:
        return False
    if entry.judge_sha256 != hash_judge(describe_judge(judge)):
        raise LepbenchError(
            f"{out} holds features by another judge {judge.label!r}",
            "give it another label, or another --out",
        )
    return path.is_file() and sha256_file(path) == entry.file_sha256


def _make_lacking(
    corpus: CorpusPictures,
    judges: Sequence[JudgeConfig],
    out: Path,
    computing: Computing,
    *,
    progress: Progress,
) -> Statistics:
    """Write the features by some judges; the listing is of these alone."""
    pinned = [judge.pin() for judge in judges]
    embeds = load_embeds(pinned, computing.device)
    weights = embeds.weights
    terms = [corpus.source_sha256, corpus.size, [describe_judge(judge) for judge in pinned], dict(weights)]
    parts = make_folder(out / PARTS / sha256_bytes(json.dumps(terms, sort_keys=True).encode())[:16])
    job = make_feature_job(corpus, pinned, embeds, computing)
    found = embed_in_chunks(job, corpus.pictures, parts, computing, progress=progress)
    entries = {}
    for judge in pinned:
        about = Provenance(
            corpus_sha256=hash_pictures(found.digests),
            judge=describe_judge(judge),
            files={key.partition("/")[2]: value for key, value in weights.items() if _is_of(key, judge)},
            size=corpus.size,
            n=corpus.pictures.count,
        )
        path = out / f"{judge.label}{SUFFIX}"
        save_features(path, found.features[judge.label], found.digests, about)
        entries[judge.label] = JudgeEntry(
            name=about.name,
            judge_sha256=hash_judge(about.judge),
            file_sha256=sha256_file(path),
            dimensions=found.features[judge.label].shape[1],
        )
    return Statistics(
        corpus=corpus.pictures.name,
        source_sha256=corpus.source_sha256,
        corpus_sha256=hash_pictures(found.digests),
        size=corpus.size,
        n=corpus.pictures.count,
        repeated=len(found.digests) - len(np.unique(found.digests, axis=0)),
        judges=entries,
    )


def _is_of(name: str, judge: JudgeConfig) -> bool:
    return name.startswith(f"{judge.label}/")
