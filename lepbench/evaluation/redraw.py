"""Draw some items of a run anew by the settings of its record, and hold the pictures against the stored."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from pathlib import Path

import numpy as np

from lepbench.backbones import Backbone, choose_device, load_backbone
from lepbench.errors import LepbenchError
from lepbench.evaluation.condition_runner import Failure, draw_batch
from lepbench.evaluation.conditions import (
    Condition,
    make_model_condition,
    make_unguided_condition,
    make_vae_condition,
)
from lepbench.evaluation.layout import locate_picture
from lepbench.evaluation.opening import LoadBackbone, build_method, load_reference_backbone
from lepbench.evaluation.provenance import check_files
from lepbench.evaluation.record import Record
from lepbench.evaluation.sample import Batch, Sample, make_batches
from lepbench.files import sha256_bytes
from lepbench.images import open_rgb
from lepbench.methods import PrecomputedConfig, UnguidedConfig
from lepbench.progress import Progress
from lepbench.suites import Suite

PICTURE_TOLERANCE = 2 / 255
"""Mean absolute difference of two pictures in [0, 1]. On one machine with one number of threads they are the
same to the bit; elsewhere the last bits of a network's output differ, which a sampler may amplify."""


def redraw_samples(
    folder: Path,
    record: Record,
    suite: Suite,
    count: int,
    *,
    device: str = "auto",
    load: LoadBackbone = load_backbone,
    nonce: str | None = None,
    progress: Progress,
) -> dict[str, int]:
    """Draw the pictures of some items anew: the model's, and those that its backbone draws for reference.

    Args:
        folder: of the run.
        count: items; all of the run where it has fewer.
        nonce: chooses them with the record's hash; a random one unless given.
        progress: called with (stage, done, total): the condition, its samples done, its samples in all.

    Returns:
        How many pictures were compared, by condition; without the model's where they were drawn elsewhere.

    Raises:
        LepbenchError: a picture differs by more than `PICTURE_TOLERANCE`, a file of the model is another than
            the record names, or something cannot be loaded here.
    """
    ids = set(choose_items(record, suite, count, secrets.token_hex(16) if nonce is None else nonce))
    size = (record.protocol.size, record.protocol.size)
    backbone = load_reference_backbone(record.identity.model, str(choose_device(device)), size, load)
    compared = {}
    for row in _list_conditions(folder, record, suite, backbone):
        per_item = row.kind.count_samples(record.identity.samples_per_item)
        batches = _fill_batches(record, suite, ids, per_item)
        total, done = sum(len(wanted) for wanted, _ in batches), 0
        for wanted, batch in batches:
            for sample, drawn in zip(wanted, draw_batch(row, batch), strict=False):
                _compare(locate_picture(folder, row.name, sample.item_id, sample.index), drawn)
            done += len(wanted)
            progress(f"{row.name} anew", done, total)
        compared[row.name] = total
    return compared


def _fill_batches(
    record: Record, suite: Suite, ids: Collection[str], per_item: int
) -> list[tuple[Batch, Batch]]:
    """The samples of items, and these repeated to batches as large as those that they were drawn in.

    The size of a batch changes the last bits of a network's output, and what else is in it does not.
    """
    sizes: dict[int, list[Sample]] = {}
    items = suite.take(record.identity.items)
    for batch in make_batches(suite, items, per_item, record.protocol.batch_size):
        sizes.setdefault(len(batch), []).extend(sample for sample in batch if sample.item_id in ids)
    chunks = [
        (samples[start : start + size], size)
        for size, samples in sizes.items()
        for start in range(0, len(samples), size)
    ]
    return [(chunk, [*chunk, *[chunk[-1]] * (size - len(chunk))]) for chunk, size in chunks]


def choose_items(record: Record, suite: Suite, count: int, nonce: str) -> list[str]:
    """Items of a run by a hash of its record and a nonce.

    By the record alone a submitter would choose them: its free texts can be varied until the hash fits.

    Raises:
        LepbenchError: `count` is below 1.
    """
    if count < 1:
        raise LepbenchError(f"{count} items cannot be drawn anew", "give 1 or more")
    ids = suite.take(record.identity.items).ids
    return sorted(ids, key=lambda item_id: sha256_bytes(f"{record.id} {nonce} {item_id}".encode()))[:count]


def _list_conditions(
    folder: Path, record: Record, suite: Suite, backbone: Backbone | None
) -> list[Condition]:
    """The conditions that can be drawn here, of the files that the record names."""
    model, made = record.identity.model, list[Condition]()
    check_files(folder, record, backbone, None)
    if not isinstance(model.method, PrecomputedConfig):
        method = build_method(model, backbone)
        check_files(folder, record, backbone, method)
        made.append(make_model_condition(method))
    if backbone is not None and model.reference is not None:
        made.append(make_unguided_condition(UnguidedConfig().build(backbone, model.reference.sampler), {}))
        if "picture" in suite.definition.truths:
            made.append(make_vae_condition(backbone, {}))
    return made


def _compare(path: Path, drawn: object) -> None:
    if isinstance(drawn, Failure):
        raise LepbenchError(f"{path} cannot be drawn anew: {drawn.reason}", "evaluate again")
    stored, found = (np.asarray(picture, np.float64) for picture in (open_rgb(path), drawn))
    difference = float(np.abs(stored - found).mean()) / 255 if stored.shape == found.shape else 1.0
    if difference > PICTURE_TOLERANCE:
        raise LepbenchError(
            f"{path} differs by {difference:.4f} a pixel from the picture drawn anew, "
            f"more than {PICTURE_TOLERANCE:.4f}",
            "evaluate again",
        )
