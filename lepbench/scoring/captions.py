"""Scores of generated pictures against the captions that they were drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from lepbench.data.captions import decode_caption
from lepbench.data.metadata import (
    CAPTION_COLUMNS,
    FILE_COLUMNS,
    MetadataColumns,
    read_metadata,
    read_records,
)
from lepbench.errors import LepbenchError
from lepbench.files import as_text
from lepbench.images import open_rgb, to_tensor
from lepbench.judges import CaptionScorer, JudgeConfig, load_judge
from lepbench.judges.base import select_able
from lepbench.metrics.clip import clip_score, cosine
from lepbench.metrics.statistics import Interval, bootstrap
from lepbench.progress import Progress
from lepbench.scoring.features import BATCH, stack_alike
from lepbench.scoring.prompts import find_prompts

SIDECARS = frozenset((".txt",))


class CaptionedPicture(NamedTuple):
    """A picture's file, and the caption that it was drawn from."""

    path: Path
    caption: str


@dataclass(frozen=True)
class CaptionScores:
    """Figures and what they are figures of.

    Attributes:
        figures: `clip_similarity@LABEL` and `clip_score@LABEL` by every judge: mean over pictures, with the
            95 % interval over captions.
        cut: captions that are longer than a judge reads, by its label.
    """

    pictures: int
    captions: int
    figures: dict[str, Interval]
    cut: dict[str, int]


def find_captions(generated: Path, captions: Path) -> list[CaptionedPicture]:
    """Every picture with its caption, in the order of the captions.

    Args:
        generated: the pictures: as the table names them, or NAME.png or NAME-0.png, NAME-1.png, .. of
            NAME.txt.
        captions: a table (CSV, TSV, JSON lines or Parquet) with columns of files and captions, or a folder of
            NAME.txt.

    Raises:
        LepbenchError: a file is missing or cannot be read, or a caption is empty.
    """
    found = _read_sidecars(generated, captions) if captions.is_dir() else _read_table(generated, captions)
    if not found:
        raise LepbenchError(f"{captions} holds no captions", "give a table with the columns file and caption")
    if empty := next((one for one in found if not one.caption), None):
        raise LepbenchError(f"{captions} has an empty caption for {empty.path}", "write one")
    if strange := next((one for one in found if one.caption != as_text(one.caption)), None):
        raise LepbenchError(f"{captions}: the caption of {strange.path} is not UTF-8", "save it as UTF-8")
    return found


def _read_table(generated: Path, table: Path) -> list[CaptionedPicture]:
    rows = read_metadata(table, _find_columns(table))
    if wrong := next((row for row in rows if row.fault), None):
        raise LepbenchError(f"{table}, row {wrong.number}: {wrong.fault}", "correct it")
    found = [CaptionedPicture(generated / row.file_name, row.text.strip()) for row in rows]
    if missing := next((one for one in found if not one.path.is_file()), None):
        raise LepbenchError(
            f"{table} names {missing.path.name}, and there is no {missing.path}",
            "name files relative to --generated",
        )
    if len({one.path for one in found}) < len(found):
        raise LepbenchError(f"{table} names a picture twice", "give each picture one caption")
    return found


def _find_columns(table: Path) -> MetadataColumns:
    """The columns of files and captions of a table.

    Raises:
        LepbenchError: it cannot be read, or has none.
    """
    _, names = read_records(table)
    if not names:
        raise LepbenchError(f"{table} holds no captions", "give a table with the columns file and caption")
    alike = {name.strip().lower(): name for name in reversed(names)}
    chosen = []
    for kind, known in (("file", FILE_COLUMNS), ("caption", CAPTION_COLUMNS)):
        column = next((alike[name] for name in known if name in alike), None)
        if column is None:
            raise LepbenchError(f"{table} has no column {kind!r}", f"name one so; it has {', '.join(names)}")
        chosen.append(column)
    return MetadataColumns(*chosen)


def _read_sidecars(generated: Path, folder: Path) -> list[CaptionedPicture]:
    found = []
    for prompt in find_prompts(generated, folder, of_references=SIDECARS):
        text = decode_caption(prompt.reference.read_bytes()).strip()
        found += [CaptionedPicture(path, text) for path in prompt.generated]
    return found


def score_captions(
    pairs: Sequence[CaptionedPicture], judges: Sequence[JudgeConfig], *, device: str, progress: Progress
) -> CaptionScores:
    """Score every picture against its caption by every judge of captions.

    Args:
        pairs: of `find_captions`.
        progress: called with (stage, done, total).

    Raises:
        LepbenchError: no judge compares captions, one cannot be loaded, or a picture cannot be read.
    """
    chosen = select_able(judges, "captions", "compares captions with pictures", such_as="clip")
    captions = [pair.caption for pair in pairs]
    figures: dict[str, Interval] = {}
    cut = {}
    for judge in chosen:
        scorer = load_judge(judge, device).captions
        if scorer is None:
            continue
        similarities, scores = _compare(pairs, scorer, f"captions {judge.label}", progress)
        for name, values in (("clip_similarity", similarities), ("clip_score", scores)):
            figures[f"{name}@{judge.label}"] = bootstrap(values, captions, seed=0).interval()
        cut[judge.label] = scorer.truncated(sorted(set(captions)))
    return CaptionScores(len(pairs), len(set(captions)), figures, cut)


@torch.no_grad()
def _compare(
    pairs: Sequence[CaptionedPicture], scorer: CaptionScorer, stage: str, progress: Progress
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Similarity and CLIP score of every pair, [N] each."""
    similarities, scores = [], []
    progress(stage, 0, len(pairs))
    for start in range(0, len(pairs), BATCH):
        batch = pairs[start : start + BATCH]
        pixels = [np.asarray(open_rgb(pair.path)) for pair in batch]
        images = torch.cat([scorer.image_embedding(to_tensor(alike)) for alike in stack_alike(pixels)])
        texts = scorer.text_features([pair.caption for pair in batch])
        similarities.append(cosine(images, texts).cpu().numpy())
        scores.append(clip_score(images, texts).cpu().numpy())
        progress(stage, start + len(batch), len(pairs))
    both = np.concatenate(similarities), np.concatenate(scores)
    return both[0].astype(np.float64), both[1].astype(np.float64)
