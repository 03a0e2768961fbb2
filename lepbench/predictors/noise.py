"""Noise and clean latent predicted by the model at a noisy latent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.errors import LepbenchError
from lepbench.predictors.base import Predictor


def read_noise(
    predictor: Predictor, backbone: Backbone, output: Tensor, noisy: Tensor, timesteps: Tensor
) -> Tensor | None:
    """`noise_component` for a predictor that reads it, None for any other."""
    if not predictor.reads_noise:
        return None
    return noise_component(
        backbone.scheduler, output, noisy=noisy, timesteps=timesteps, flow=backbone.family.flow
    )


def noise_component(
    schedule: Mapping[str, Any], output: Tensor, noisy: Tensor, timesteps: Tensor, flow: bool = False
) -> Tensor:
    """The noise part of `z_t = sqrt(abar_t) x0 + sqrt(1 - abar_t) eps`, from the model's output at that step.

    It is `sqrt(1 - abar_t) eps` with the `eps` predicted here and now; `s eps` for a rectified flow,
    `z_t = (1 - s) x0 + s eps` with `s = t / T_train`. A sample's initial noise does not give the noise of a
    later step, which the model has changed by then.

    Args:
        schedule: the training schedule, as a diffusers scheduler config.
        output: `[B, C, h, w]`, the model's output for `noisy` at `timesteps`, of any prediction type.
        noisy: `[B, C, h, w]`, z_t.
        timesteps: `[B]` or a scalar, of the training schedule; abar is interpolated between whole ones.
        flow: whether the model is one of a rectified flow.

    Returns:
        `[B, C, h, w]`, in the graph of `output` and `noisy`.

    Raises:
        LepbenchError: the prediction type is unknown.
    """
    if flow:
        share = _share(schedule, output, timesteps)
        return share * (noisy + (1 - share) * output)
    signal, noise = _levels(schedule, output, timesteps)
    match schedule.get("prediction_type", "epsilon"):
        case "epsilon":
            return noise * output
        case "v_prediction":
            return noise * (signal * output + noise * noisy)
        case "sample":
            return noisy - signal * output
        case other:
            raise _unknown(other)


def clean_latents(
    schedule: Mapping[str, Any], output: Tensor, noisy: Tensor, timesteps: Tensor, flow: bool = False
) -> Tensor:
    """The clean latent predicted by the model at a step: x0 of the decomposition in `noise_component`.

    Arguments, result and errors are as there.
    """
    if flow:
        return noisy - _share(schedule, output, timesteps) * output
    signal, noise = _levels(schedule, output, timesteps)
    match schedule.get("prediction_type", "epsilon"):
        case "epsilon":
            return (noisy - noise * output) / signal
        case "v_prediction":
            return signal * noisy - noise * output
        case "sample":
            return output
        case other:
            raise _unknown(other)


def _share(schedule: Mapping[str, Any], output: Tensor, timesteps: Tensor) -> Tensor:
    """s of a rectified flow, `[B or 1, 1, 1, 1]`."""
    share: Tensor = (timesteps / schedule["num_train_timesteps"]).to(output).reshape(-1, 1, 1, 1)
    return share


def _levels(schedule: Mapping[str, Any], output: Tensor, timesteps: Tensor) -> tuple[Tensor, Tensor]:
    """The factors of clean latent and noise, `[B or 1, 1, 1, 1]` each."""
    kept = _kept(schedule, timesteps.to(output.device)).to(output).reshape(-1, 1, 1, 1)
    return kept.sqrt(), (1 - kept).sqrt()


def _unknown(prediction_type: object) -> LepbenchError:
    return LepbenchError(
        f"no noise can be read off a model of prediction type {prediction_type!r}", "choose 'time: scalar'"
    )


def _kept(schedule: Mapping[str, Any], timesteps: Tensor) -> Tensor:
    """abar at `timesteps`, float32."""
    from diffusers import DDPMScheduler

    table = DDPMScheduler.from_config(dict(schedule)).alphas_cumprod.to(timesteps.device)
    last = len(table) - 1
    low = timesteps.floor().long().clamp(0, last) if timesteps.is_floating_point() else timesteps.long()
    return torch.lerp(table[low], table[(low + 1).clamp(max=last)], (timesteps - low).to(table))
