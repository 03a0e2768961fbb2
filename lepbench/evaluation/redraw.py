"""Draw some items of a run anew by the settings of its record, and hold the pictures against the stored."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lepbench.backbones import Backbone, choose_device, load_backbone
from lepbench.errors import LepbenchError
from lepbench.evaluation.condition_runner import draw_batch
from lepbench.evaluation.conditions import (
    MODEL,
    Condition,
    make_model_condition,
    make_unguided_condition,
    make_vae_condition,
)
from lepbench.evaluation.cost import count_method_passes, find_arithmetic, state_cost
from lepbench.evaluation.layout import locate_picture
from lepbench.evaluation.opening import LoadBackbone, build_method, load_reference_backbone
from lepbench.evaluation.provenance import check_files
from lepbench.evaluation.record import Record
from lepbench.evaluation.redrawn import choose_bounds, compare_cost, compare_lines, compare_picture
from lepbench.evaluation.sample import Batch, Sample, make_batches
from lepbench.files import sha256_bytes
from lepbench.images import Pixels
from lepbench.methods import PrecomputedConfig, UnguidedConfig
from lepbench.progress import Progress
from lepbench.suites import Suite


@dataclass(frozen=True)
class Redrawn:
    """What was drawn anew and found to agree.

    Attributes:
        pictures: how many were compared, by condition; none of the model where they were drawn elsewhere.
        lead: by how much the lines of the model's stored pictures are better than those drawn anew.
    """

    pictures: dict[str, int] = field(default_factory=dict)
    lead: float = 0.0


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
) -> Redrawn:
    """Draw the pictures of some items anew: the model's, and those that its backbone draws for reference.

    Args:
        folder: of the run.
        count: items; all of the run where it has fewer.
        device: where they are drawn; "auto" is the kind of the record's.
        nonce: chooses them with the record's hash; a random one unless given.
        progress: called with (stage, done, total): the condition, its samples done, its samples in all.

    Raises:
        LepbenchError: a picture, the model's lines or its cost differ by more than `redrawn` allows, a file
            of the model is another than the record names, or something cannot be loaded here.
    """
    ids = set(choose_items(record, suite, count, secrets.token_hex(16) if nonce is None else nonce))
    where = _choose_device(folder, record, device)
    size = (record.protocol.size, record.protocol.size)
    backbone = load_reference_backbone(record.identity.model, where, size, load)
    pictures, lead = dict[str, int](), 0.0
    for row in _list_conditions(folder, record, suite, backbone):
        batches = _fill_batches(record, suite, ids, row.kind.count_samples(record.identity.samples_per_item))
        samples = [sample for wanted, _ in batches for sample in wanted]
        pairs = list(_redraw_condition(folder, record, row, batches, progress=progress))
        pictures[row.name] = len(pairs)
        if row.kind is MODEL:
            lead = compare_lines(folder, pairs, samples, record.protocol)
    return Redrawn(pictures, lead)


def _choose_device(folder: Path, record: Record, device: str) -> str:
    """A device of the kind that a run was drawn on: others round otherwise, and a sampler amplifies it."""
    stated = record.identity.device
    chosen = choose_device(stated if device == "auto" else device)
    if chosen.type != stated:
        raise LepbenchError(
            f"{folder} was drawn on {stated!r}, and pictures of {chosen.type!r} differ by rounding",
            f"draw anew on a machine with {stated!r}",
        )
    return str(chosen)


def _redraw_condition(
    folder: Path,
    record: Record,
    row: Condition,
    batches: Sequence[tuple[Batch, Batch]],
    *,
    progress: Progress,
) -> Iterator[tuple[Pixels, Pixels]]:
    """The stored picture of each sample of a condition, and the one drawn anew, which agrees."""
    bounds = choose_bounds(record.identity.device)
    done, total = 0, sum(len(wanted) for wanted, _ in batches)
    passes = steered = 0.0
    for wanted, batch in batches:
        with count_method_passes(row.method) as counted:
            drawn = draw_batch(row, batch)
        if counted is not None:
            passes += counted.total / len(batch) * len(wanted)
            steered += counted.steered / len(batch) * len(wanted)
        for sample, picture in zip(wanted, drawn, strict=False):
            path = locate_picture(folder, row.name, sample.item_id, sample.index)
            yield compare_picture(path, picture, bounds)
        done += len(wanted)
        progress(f"{row.name} anew", done, total)
    if batches and row.method is not None:
        arithmetic = find_arithmetic(row.method, batches[0][0][0].request)
        found = (
            arithmetic if arithmetic is None else state_cost(arithmetic, 0.0, passes / total, steered / total)
        )
        compare_cost(folder, row.name, record.cost.get(row.name), found)


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
        made.append(make_model_condition(method, keeps_edges=False))
    if backbone is not None and model.reference is not None:
        made.append(make_unguided_condition(UnguidedConfig().build(backbone, model.reference.sampler), {}))
        if "picture" in suite.definition.truths:
            made.append(make_vae_condition(backbone, {}))
    return made
