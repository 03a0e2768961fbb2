"""What draws and scores the batches of a run, loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lepbench.backbones import Backbone
from lepbench.evaluation.conditions import (
    MODEL,
    OVERLAY,
    REAL,
    UNGUIDED,
    VAE,
    WRONG_SKETCH,
    Condition,
    ConditionKind,
    make_model_condition,
    make_overlay_condition,
    make_real_condition,
    make_unguided_condition,
    make_vae_condition,
    make_wrong_sketch_condition,
)
from lepbench.evaluation.finished_pictures import FinishedPictures
from lepbench.evaluation.opening import Opened, hash_backbone_files
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.run_plan import RunPlan
from lepbench.evaluation.sample import Batch
from lepbench.judges import Judges
from lepbench.methods import UnguidedConfig, hash_sampler_code

Makers = dict[ConditionKind, Callable[[], Condition]]


@dataclass(frozen=True)
class Bench:
    """Conditions in their order of drawing, the batches of each by its name, and what scores them.

    A condition that is made of another's pictures comes after it.
    """

    conditions: Mapping[str, Condition]
    batches: Mapping[str, Sequence[Batch]]
    judges: Judges
    protocol: Protocol


def make_bench(plan: RunPlan, opened: Opened, out: Path) -> Bench:
    """The bench of a run.

    Args:
        out: the run's folder, which holds the pictures that other conditions are made of.
    """
    makers: Makers = {
        REAL: make_real_condition,
        **_list_backbone_makers(plan, opened.backbone, out),
        MODEL: lambda: make_model_condition(opened.method),
        WRONG_SKETCH: lambda: make_wrong_sketch_condition(FinishedPictures(out, MODEL.name)),
    }
    kinds = plan.kinds
    return Bench(
        {kind.name: make() for kind, make in makers.items() if kind in kinds},
        {kind.name: plan.make_batches(kind) for kind in kinds},
        opened.judges,
        plan.protocol,
    )


def _list_backbone_makers(plan: RunPlan, backbone: Backbone | None, out: Path) -> Makers:
    """Constructors of the conditions that need a backbone."""
    reference = plan.model.reference
    if backbone is None or reference is None:
        return {}
    sampler = reference.sampler
    model = {"backbone": hash_backbone_files(backbone), "precision": reference.precision}
    drawn = {**model, "sampler": sampler.model_dump(mode="json")} | hash_sampler_code(sampler)
    plain = UnguidedConfig().build(backbone, sampler)
    return {
        VAE: lambda: make_vae_condition(backbone, model),
        UNGUIDED: lambda: make_unguided_condition(plain, drawn),
        OVERLAY: lambda: make_overlay_condition(FinishedPictures(out, UNGUIDED.name)),
    }
