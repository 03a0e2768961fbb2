"""Diffusers schedulers by short names, and guidance updates of the sample between their steps."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lepbench.errors import LepbenchError
from lepbench.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

    from lepbench.backbones.backbone import Backbone
    from lepbench.backbones.family import Size


@dataclass(frozen=True)
class SchedulerKind:
    """A scheduler of diffusers.

    Attributes:
        class_name: its name in diffusers.
        stochastic: whether it samples noise in each step.
        flow: whether it is for flow matching; the others are for DDPM noise schedules.
        overrides: config values that differ from the backbone's and the class's defaults.
        shift: its name for the timestep shift of flow matching, where it has one.
    """

    class_name: str
    stochastic: bool = False
    flow: bool = False
    overrides: dict[str, Any] = field(default_factory=dict)
    shift: str | None = None


SCHEDULERS: Registry[SchedulerKind] = Registry("scheduler")
# Both clip latents like pixels unless a backbone's config disables it.
UNCLIPPED = {"clip_sample": False}
SCHEDULERS.register("ddim")(SchedulerKind("DDIMScheduler", overrides=UNCLIPPED))
SCHEDULERS.register("ddpm")(SchedulerKind("DDPMScheduler", stochastic=True, overrides=UNCLIPPED))
# Without its Runge-Kutta warm-up, as Stable Diffusion ships it: one evaluation a step.
SCHEDULERS.register("pndm")(SchedulerKind("PNDMScheduler", overrides={"skip_prk_steps": True}))
SCHEDULERS.register("euler")(SchedulerKind("EulerDiscreteScheduler"))
SCHEDULERS.register("euler_ancestral")(SchedulerKind("EulerAncestralDiscreteScheduler", stochastic=True))
SCHEDULERS.register("dpmpp")(SchedulerKind("DPMSolverMultistepScheduler"))
SCHEDULERS.register("unipc")(SchedulerKind("UniPCMultistepScheduler"))
# For latent consistency models, in about four steps.
SCHEDULERS.register("lcm")(SchedulerKind("LCMScheduler", stochastic=True, overrides=UNCLIPPED))
SCHEDULERS.register("flow_euler")(SchedulerKind("FlowMatchEulerDiscreteScheduler", flow=True, shift="shift"))
SCHEDULERS.register("flow_dpmpp")(
    SchedulerKind(
        "DPMSolverMultistepScheduler",
        flow=True,
        overrides={"use_flow_sigmas": True, "prediction_type": "flow_prediction"},
        shift="flow_shift",
    )
)

CONSISTENCY_STEPS = 4
"""Steps of a latent consistency model unless given, as in its pipeline."""

STEERABLE = frozenset(
    {
        "DDIMParallelScheduler",
        "DDIMScheduler",
        "DDPMParallelScheduler",
        "DDPMScheduler",
        "DEISMultistepScheduler",
        "DPMSolverMultistepScheduler",
        "EulerAncestralDiscreteScheduler",
        "EulerDiscreteScheduler",
        "FlowMatchEulerDiscreteScheduler",
        "FlowMatchLCMScheduler",
        "LCMScheduler",
        "LMSDiscreteScheduler",
        "PNDMScheduler",
        "SASolverScheduler",
        "TCDScheduler",
        "UniPCMultistepScheduler",
    }
)
"""Diffusers classes in which an update by `shift_sample` is kept; a test checks each."""


def make_scheduler(
    name: str, backbone: Backbone, steps: int, latent: Size | None = None, spacing: str | None = None
) -> Any:
    """A new scheduler on the backbone's training schedule, its timesteps set.

    Args:
        spacing: its `timestep_spacing`; None for the backbone's.
        latent: height and width of the latents, for resolution-dependent timestep shifts; None for the size
            the backbone was trained on.

    Raises:
        LepbenchError: no scheduler of that name, or it does not fit the backbone.
    """
    import diffusers

    kind = SCHEDULERS.get(name)
    if kind.flow != backbone.family.flow:
        fitting = [other for other in SCHEDULERS if SCHEDULERS.get(other).flow == backbone.family.flow]
        nature = f"was {'' if backbone.family.flow else 'not '}trained by flow matching"
        raise LepbenchError(
            f"scheduler {name!r} does not fit {backbone.name}, which {nature}",
            f"choose one of: {', '.join(fitting)}",
        )
    if not hasattr(diffusers, kind.class_name):
        raise LepbenchError(f"scheduler {name!r}: diffusers has no {kind.class_name}", "check its class_name")
    made = getattr(diffusers, kind.class_name)
    spaced = {} if spacing is None else {"timestep_spacing": spacing}
    if spaced and "timestep_spacing" not in inspect.signature(made).parameters:
        raise LepbenchError(f"{kind.class_name} has no timestep_spacing", "leave it out of 'sampler:'")
    try:
        scheduler = made.from_config(
            dict(backbone.scheduler), **kind.overrides, **_name_shift(kind, backbone.scheduler), **spaced
        )
    except (ImportError, NotImplementedError, TypeError, ValueError) as error:
        raise LepbenchError(
            f"{kind.class_name} does not take the schedule of {backbone.name}: {error}",
            "choose another scheduler",
        ) from error
    side = backbone.family.latent_side(backbone.denoiser.config)
    set_timesteps(scheduler, backbone, steps, latent or (side, side))
    return scheduler


def _name_shift(kind: SchedulerKind, config: Mapping[str, Any]) -> dict[str, Any]:
    """The timestep shift of a training schedule, under this scheduler's name for it."""
    shift = config.get("shift", config.get("flow_shift"))
    return {} if kind.shift is None or shift is None else {kind.shift: shift}


def set_timesteps(scheduler: Any, backbone: Backbone, steps: int, latent: Size) -> None:
    """Set a scheduler's timesteps as the backbone's pipeline does.

    Raises:
        LepbenchError: it has no schedule of that many steps.
    """
    arguments = backbone.family.schedule(scheduler, steps, latent)
    try:
        # A schedule that is stretched to a last timestep divides by zero where that is the only one.
        with np.errstate(invalid="raise"):
            scheduler.set_timesteps(**arguments, device=backbone.device)
    except (TypeError, ValueError, FloatingPointError) as error:
        raise LepbenchError(
            f"{type(scheduler).__name__} takes no {steps} steps: {error}", "choose another number of steps"
        ) from error


def require_scale(backbone: Backbone, scale: float) -> None:
    """Refuse a guidance scale below that of no guidance where guidance is not distilled.

    Raises:
        LepbenchError: it is.
    """
    none = backbone.family.unguided
    if scale < none and not backbone.takes_scale:
        raise LepbenchError(
            f"guidance_scale {scale} is below {none:g}, and {backbone.name} does not take it as an input",
            f"give {none:g} for no guidance",
        )


def imply_sampler(backbone: Backbone) -> dict[str, object]:
    """The sampler settings without which a backbone draws nothing usable, as keys of `SamplerSettings`."""
    if backbone.family.flow:
        own = backbone.scheduler.get("_class_name") == SCHEDULERS.get("flow_dpmpp").class_name
        return {"scheduler": "flow_dpmpp" if own else "flow_euler"}
    if backbone.scheduler.get("_class_name") == "LCMScheduler":
        return {"scheduler": "lcm", "steps": CONSISTENCY_STEPS}
    return {}


def read_initial_scale(scheduler: Any) -> float | Tensor:
    """The standard deviation of the scheduler's initial noise; 1 in flow matching."""
    scale: float | Tensor = getattr(scheduler, "init_noise_sigma", 1.0)
    return scale


def scale_model_input(scheduler: Any, sample: Tensor, timestep: Tensor) -> Tensor:
    """The latent the denoiser reads; in flow matching the scheduler's sample itself."""
    if not hasattr(scheduler, "scale_model_input"):
        return sample
    scaled: Tensor = scheduler.scale_model_input(sample, timestep)
    return scaled


def measure_input_scale(scheduler: Any, timestep: Tensor) -> float:
    """The factor from the scheduler's sample to the latent the denoiser reads.

    It is 1 for schedulers that step in that space themselves and `1 / sqrt(1 + sigma^2)` for those that step
    in sigma space. Asked before a step it is the factor of `z_t`; after it, that of the sample just made.
    """
    return float(scale_model_input(scheduler, timestep.new_ones(()).float(), timestep))


def choose_step_options(scheduler: Any, generators: Any) -> dict[str, Any]:
    """Options of the scheduler's step: those that the pipelines of diffusers give it.

    `eta` is 0 there, also for TCD, whose own default is 0.3.
    """
    taken = inspect.signature(scheduler.step).parameters
    options = {"generator": generators} if generators is not None else {}
    return {key: value for key, value in {"eta": 0.0, **options}.items() if key in taken}


def require_steerable(scheduler: Any) -> None:
    """Check that the scheduler keeps a guidance update of the sample.

    Schedulers that evaluate the model between two steps, such as Heun's, continue from a stored sample.

    Raises:
        LepbenchError: its class is none of `STEERABLE`, or is PNDM with its Runge-Kutta steps.
    """
    name = type(scheduler).__name__
    if name == "PNDMScheduler" and not scheduler.config.skip_prk_steps:
        raise LepbenchError(
            "PNDMScheduler may lose the update of a sketch in its first steps",
            "set skip_prk_steps to true in its config",
        )
    if name not in STEERABLE:
        raise LepbenchError(
            f"{name} may lose the update of a sketch", f"use one of: {', '.join(sorted(STEERABLE))}"
        )


def shift_sample(scheduler: Any, sample: Tensor, shift: Tensor) -> Tensor:
    """`sample - shift`, also applied to the stored sample of a scheduler that continues from one.

    The correctors of UniPC and SASolver rebuild the current sample from the one before, which would undo the
    shift: they are skipped for the next step. PNDM's second step starts from the first one's sample, which
    is moved too, such that the step's result is shifted by `shift`.

    Raises:
        LepbenchError: the scheduler is not known to keep a shift.
    """
    require_steerable(scheduler)
    if getattr(scheduler, "last_sample", None) is not None:
        scheduler.last_sample = None
    if getattr(scheduler, "cur_sample", None) is not None:
        scheduler.cur_sample = scheduler.cur_sample - shift / _first_step_scale(scheduler)
    return sample - shift


def _first_step_scale(scheduler: Any) -> Tensor:
    """Factor of the sample in PNDM's first step."""
    start = scheduler.timesteps[0]
    end = start - scheduler.config.num_train_timesteps // scheduler.num_inference_steps
    one = start.new_ones(()).float()
    scale: Tensor = scheduler._get_prev_sample(one, start, end, 0 * one)
    return scale
