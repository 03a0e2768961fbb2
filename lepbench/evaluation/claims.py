"""What a record says of a run beside its figures: refused where it cannot be, whatever the pictures are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import MODEL, UNGUIDED, WRONG_SKETCH, list_conditions
from lepbench.evaluation.record import Record
from lepbench.methods import hash_sampler_code
from lepbench.suites import Suite
from lepbench.version import __version__, is_version

MOST_PASSES = 3
"""Passes of the denoiser a step: two halves of guidance, and room for batches that were drawn twice."""


def check_claims(folder: Path, record: Record, suite: Suite) -> None:
    """Refuse numbers and names of the record that no figure is made of, where they cannot be.

    Raises:
        LepbenchError: it states failures, more captions than there are, conditions and items of no run, a
            version that there is not, or costs that cannot be.
    """
    for fault in _find_faults(record, suite):
        raise LepbenchError(f"{folder}'s record {fault}", "evaluate again")


def _find_faults(record: Record, suite: Suite) -> Iterator[str]:
    rows = [kind.name for kind in list_conditions(record.identity.model, suite)]
    ids = suite.take(record.identity.items).ids
    if record.failed != dict.fromkeys(rows, 0):
        yield f"says {record.failed} failed, its samples say none"
    if record.truncated > len(ids):
        yield f"has {record.truncated} captions truncated of {len(ids)}"
    if record.sample_count != record.identity.items * record.identity.samples_per_item:
        yield "has a wrong number of samples"
    named = {*record.reused, *record.cost, *record.timing.drawing, *record.cut_captions}
    if strange := named - {*rows, *ids}:
        yield f"speaks of {min(strange)!r}, which is no condition or item of it"
    if set(record.timing.drawing) != set(rows):
        yield "has no drawing time of a condition, or of one that there is not"
    # Earlier versions kept every reference.
    kept = [row for row in rows if row not in (MODEL.name, WRONG_SKETCH.name)]
    if len({*record.reused}) < len(record.reused) or not {*record.reused} <= {*kept}:
        yield f"says that {', '.join(record.reused)} were kept from another run; {', '.join(kept)} can be"
    yield from _find_other_machine(record)
    yield from _find_wrong_costs(record)


def _find_other_machine(record: Record) -> Iterator[str]:
    stated, machine = record.identity.packages.get("lepbench", ""), record.machine
    if not is_version(stated):
        yield f"is of lepbench {stated!r}, and this is {__version__}"
    if machine.device != record.identity.device:
        yield f"was drawn on {record.identity.device!r} by a machine with {machine.device!r}"
    if machine.accelerator is not None and machine.device == "cpu":
        yield f"was drawn on the cpu by {machine.accelerator!r}"


def _find_wrong_costs(record: Record) -> Iterator[str]:
    """Costs of pictures that no denoiser drew, and passes that the sampler's steps do not give."""
    if other := sorted(record.cost.keys() - {MODEL.name, UNGUIDED.name}):
        yield f"states what passes of a denoiser {other[0]} took, which are none"
    for row, cost in record.cost.items():
        if cost.steered_passes > cost.passes:
            yield f"has {cost.steered_passes:g} steered passes of {row}, of {cost.passes:g}"
    reference, drawn = record.identity.model.reference, record.cost.get(UNGUIDED.name)
    if reference is None or drawn is None or hash_sampler_code(reference.sampler):
        return
    steps = reference.sampler.steps
    if not steps <= drawn.passes <= MOST_PASSES * steps:
        yield f"has {drawn.passes:g} passes of {UNGUIDED.name} in {steps} steps"
