"""What a record says of a run that only loaded networks tell."""

from __future__ import annotations

from pydantic import NonNegativeInt

from lepbench.backbones import Backbone
from lepbench.config import Config, Label, Line, write_line
from lepbench.evaluation.bench import Bench
from lepbench.evaluation.conditions import MODEL
from lepbench.evaluation.cost import ConditionArithmetic, find_arithmetic
from lepbench.evaluation.opening import Opened
from lepbench.evaluation.run_plan import RunPlan
from lepbench.evaluation.sample import Sample
from lepbench.methods import describe_drawing
from lepbench.submitted import explain_faults


class Facts(Config):
    """The same for every share of a run."""

    truncated: NonNegativeInt
    """Number of captions that the protocol's first judge of captions truncates; 0 if none reads any."""
    cut_captions: tuple[Line, ...]
    """Items whose captions the backbone does not read to the end."""
    notes: tuple[Line, ...]
    """On how the backbone and the method drew."""
    arithmetic: dict[Label, ConditionArithmetic]
    """Of each condition that a denoiser of ours draws."""


def find_facts(plan: RunPlan, opened: Opened, bench: Bench) -> Facts:
    """The facts of a run, once its pictures are drawn."""
    request = Sample(plan.suite, plan.items.positions[0], 0).request
    methods = {name: row.method for name, row in bench.conditions.items() if row.method is not None}
    found = {name: find_arithmetic(method, request) for name, method in methods.items()}
    return Facts(
        truncated=_count_truncated(plan, bench),
        cut_captions=_list_cut(plan, opened.backbone),
        notes=tuple(map(write_line, _describe(plan, opened, bench))),
        arithmetic={name: one for name, one in found.items() if one is not None},
    )


def _count_truncated(plan: RunPlan, bench: Bench) -> int:
    protocol = plan.protocol
    labels = protocol.find_labels("captions") if "captions" in protocol.measures else []
    scorer = bench.judges[labels[0]].captions if labels else None
    return scorer.truncated(plan.items.prompts) if scorer else 0


def _list_cut(plan: RunPlan, backbone: Backbone | None) -> tuple[str, ...]:
    if backbone is None:
        return ()
    tails = zip(plan.items.ids, backbone.find_cut(plan.items.prompts), strict=True)
    return tuple(item_id for item_id, tail in tails if tail)


def _describe(plan: RunPlan, opened: Opened, bench: Bench) -> tuple[str, ...]:
    method = bench.conditions[MODEL.name].method or opened.method
    with explain_faults(f"method {plan.model.method.name!r}", method):
        notes = tuple(method.notes)
    reference = plan.model.reference
    if opened.backbone is None or reference is None:
        return notes
    return (*describe_drawing(opened.backbone, reference.sampler, plan.size), *notes)
