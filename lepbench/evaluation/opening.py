"""Load what a run draws and scores with."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lepbench.backbones import Backbone, load_backbone
from lepbench.backbones.load import Precision
from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import MODEL
from lepbench.evaluation.judges import load_judges
from lepbench.evaluation.parts import hash_submitted_code, list_method_files
from lepbench.evaluation.run_plan import RunPlan
from lepbench.judges import Judges
from lepbench.methods import Method, ModelConfig, check_drawing
from lepbench.submitted import explain_faults, hash_code

LoadBackbone = Callable[[str, str, Precision], Backbone]
"""From a backbone's name, a device and a precision to the backbone."""


class Opened(NamedTuple):
    """What a run draws and scores with; `backbone` is None where all pictures were drawn elsewhere."""

    backbone: Backbone | None
    method: Method
    judges: Judges


def open_plan(
    plan: RunPlan,
    *,
    judges: Judges | None = None,
    method: Method | None = None,
    load: LoadBackbone = load_backbone,
) -> Opened:
    """Load backbone, method and judges of a run, unless they are given, and check that they fit.

    Raises:
        LepbenchError: something is missing or does not fit.
    """
    model = plan.model
    backbone = load_reference_backbone(model, plan.device, plan.size, load)
    if backbone is not None and model.reference is not None:
        scale = model.reference.sampler.guidance_scale
        backbone.require_negatives(scale, plan.items.negative_prompts)
    method = _prepare_method(plan, method or build_method(model, backbone))
    return Opened(backbone, method, judges or load_judges(plan.protocol, plan.device))


def load_reference_backbone(
    model: ModelConfig, device: str, size: tuple[int, int], load: LoadBackbone = load_backbone
) -> Backbone | None:
    """The backbone that draws a model's reference rows, and the model's own pictures if it has one.

    Raises:
        LepbenchError: it cannot be loaded, or does not draw pictures of `size`, height and width.
    """
    reference = model.reference
    if reference is None:
        return None
    backbone = load(reference.backbone, device, reference.precision)
    check_drawing(backbone, reference.sampler, size)
    return backbone


def _prepare_method(plan: RunPlan, method: Method) -> Method:
    """A method for the pictures of one run, which it can draw.

    Raises:
        LepbenchError: it cannot draw them; or a method from outside raises.
    """
    names = [sample.name for batch in plan.make_batches(MODEL) for sample in batch]
    with explain_faults(f"method {plan.model.method.name!r}", method):
        prepared = method.restrict(names, plan.suite.item_ids)
        prepared.check(names)
        prepared.check_size(plan.size)
    return prepared


def collect_weights(plan: RunPlan, opened: Opened) -> dict[str, str]:
    """SHA-256 of every file that decides the pictures or their scores, by name."""
    return {
        **hash_backbone_files(opened.backbone),
        **list_method_files(opened.method),
        **opened.judges.weights,
        **hash_submitted_code(plan.model, opened.method, plan.protocol),
    }


def build_method(model: ModelConfig, backbone: Backbone | None) -> Method:
    """The method that a model's configuration asks for.

    Raises:
        LepbenchError: a file is missing or does not fit; a method from outside raises, or is none.
    """
    label = f"method {model.method.name!r}"
    with explain_faults(label, model.method):
        method = model.method.build(backbone, model.sampler)
    if not isinstance(method, Method):
        raise LepbenchError(
            f"{label} built {type(method).__name__}, which is no Method", "correct its build()"
        )
    return method


def hash_backbone_files(backbone: Backbone | None) -> dict[str, str]:
    """SHA-256 of the backbone's files, by name, and of code from outside that runs it."""
    if backbone is None:
        return {}
    files = {f"backbone/{name}": digest for name, digest in backbone.files_sha256.items()}
    return files | hash_code(backbone.family)
