"""A shift of the sample lasts in every scheduler that a sketch may steer; the others are refused."""

from __future__ import annotations

import inspect
from typing import Any

import diffusers
import pytest
import torch
from torch import Tensor

from lepbench.errors import LepbenchError
from lepbench.guidance.schedulers import SCHEDULERS, STEERABLE, require_steerable, shift_sample
from lepbench.seeds import make_generator

# Inside the schedulers of diffusers.
pytestmark = pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")

STEPS = 10
SCALED = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "clip_sample": False}

# Those that extrapolate from clean samples: where the model foresees none, there is nothing to extrapolate
# from. For the others it is the noise that is none.
BY_CLEAN = {"DPMSolverMultistepScheduler", "SASolverScheduler", "UniPCMultistepScheduler"}

STEPPING_TWICE = [
    "DPMSolverSinglestepScheduler",
    "FlowMatchHeunDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "KDPM2DiscreteScheduler",
]


def built(name: str, **settings: Any) -> Any:
    kind = getattr(diffusers, name)
    taken = inspect.signature(kind.__init__).parameters
    config = SCALED | {"skip_prk_steps": True} | settings
    if name in BY_CLEAN:
        config["prediction_type"] = config.get("prediction_type", "sample")
    return kind(**{key: value for key, value in config.items() if key in taken})


def schedule(
    scheduler: Any, start: Tensor, at: int | None = None, shift: Tensor | None = None
) -> list[Tensor]:
    """The samples after every step where the model always answers zero, shifted after step `at`."""
    scheduler.set_timesteps(STEPS)
    draws = "generator" in inspect.signature(scheduler.step).parameters
    extra = {"generator": make_generator(0)} if draws else {}
    z, samples = start * getattr(scheduler, "init_noise_sigma", 1.0), []
    for step, timestep in enumerate(scheduler.timesteps):
        if hasattr(scheduler, "scale_model_input"):
            scheduler.scale_model_input(z, timestep)
        z = scheduler.step(torch.zeros_like(z), timestep, z, **extra).prev_sample
        if step == at:
            assert shift is not None
            z = shift_sample(scheduler, z, shift)
        samples.append(z)
    return samples


def lasting(name: str, at: int, **settings: Any) -> float:
    """How much of a shift after a step there is before the last one, as a share of what steps leave of it."""
    one = torch.ones(1, 1, 4, 4)
    plain, far = (schedule(built(name, **settings), start) for start in (one, 1.1 * one))
    # A start that lies elsewhere shows what the steps make of a distance.
    ways = [b - a for a, b in zip(plain, far, strict=True)]
    moved = schedule(built(name, **settings), one, at, -ways[at])
    return ((moved[-2] - plain[-2]).mean() / ways[-2].mean()).item()


@pytest.mark.parametrize("at", [0, 1, 2, 5])
@pytest.mark.parametrize("name", sorted(STEERABLE))
def test_a_shift_lasts(name: str, at: int) -> None:
    assert lasting(name, at) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_pndm_keeps_the_first_shift_whatever_is_predicted(prediction: str) -> None:
    assert lasting("PNDMScheduler", 0, prediction_type=prediction) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPPING_TWICE)
def test_what_goes_on_from_its_own_sample_would_lose_a_shift(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lepbench.guidance.schedulers.STEERABLE", STEERABLE | {name})
    assert lasting(name, 0) < 0.7


def test_every_other_scheduler_is_refused() -> None:
    names = {name for name in dir(diffusers) if name.endswith("Scheduler")}
    assert names >= STEERABLE | set(STEPPING_TWICE)
    for name in names - STEERABLE:
        stranger = type(name, (), {})()
        with pytest.raises(LepbenchError, match=rf"{name} may lose .* use one of: DDIMParallelScheduler, "):
            require_steerable(stranger)
    with pytest.raises(LepbenchError, match="set skip_prk_steps to true"):
        require_steerable(diffusers.PNDMScheduler(skip_prk_steps=False))
    with pytest.raises(LepbenchError, match="HeunDiscreteScheduler may lose"):
        shift_sample(diffusers.HeunDiscreteScheduler(), torch.zeros(1), torch.zeros(1))


def test_every_scheduler_by_name_is_steerable() -> None:
    assert {SCHEDULERS.get(name).class_name for name in SCHEDULERS} <= STEERABLE
