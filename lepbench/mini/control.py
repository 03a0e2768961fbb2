"""The training of a dedicated encoder of sketches: a network whose outputs a frozen U-Net adds to its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from pydantic import Field, SerializeAsAny
from torch import Tensor, nn

from lepbench.backbones import Backbone, load_backbone
from lepbench.config import Config
from lepbench.detectors import Canny
from lepbench.mini.corpus import Range
from lepbench.mini.denoising import denoising_loss
from lepbench.mini.training import Fit, Trainer, device
from lepbench.mini.triplets import ControlTriplets, encode_range, split_held_out
from lepbench.seeds import derive_seed, make_generator

HELD_OUT_BATCH = 64


class ControlRecipe(Config):
    """How a dedicated encoder is trained.

    Attributes:
        backbone: embedded name or folder of the frozen model.
        train: scenes of the triplets.
        held_out: share of them that is kept from training, by hash of the scene's name.
        detector: finds the edge maps.
        caption_dropout: share of captions left empty.
        timesteps: uniform, or `cubic`: t = (1 - u^3) T with u uniform, so that most latents are noisy (Mou et
            al. 2023, "T2I-Adapter").
        snr_cap: gamma of the min-SNR loss weighting.
    """

    backbone: str = "mini@1"
    train: Range
    held_out: float = Field(default=0.1, gt=0, lt=1)
    detector: Canny = Canny(low=0.3, high=0.6)
    caption_dropout: float = Field(default=0.5, ge=0, le=1)
    timesteps: Literal["uniform", "cubic"] = "uniform"
    snr_cap: float = 5.0
    fit: Fit


class Inputs(NamedTuple):
    """What an encoder may read.

    Attributes:
        noisy: float [B, 4, 16, 16] noised latents.
        times: int64 [B].
        states: float [B, 32, D] text embeddings.
        pictures: float [B, 3, 64, 64], white strokes on black, in [0, 1].
    """

    noisy: Tensor
    times: Tensor
    states: Tensor
    pictures: Tensor


Residuals = Callable[[Any, Inputs], dict[str, Any]]
"""An encoder and its inputs to the keyword arguments by which the U-Net takes its outputs."""


class ControlPicture(Config):
    """The picture that an encoder reads, in the words of the method `controlled`.

    Attributes:
        polarity: of its strokes and ground.
        channels: all equal.
        range: the values of black and of white.
    """

    polarity: Literal["white-on-black"] = "white-on-black"
    channels: Literal[3] = 3
    range: tuple[float, float] = (0.0, 1.0)


class ControlResult(Config):
    """Figures of a finished training (`metrics.json`).

    Attributes:
        control_picture: what the encoder reads.
        recipe: its configuration.
        backbone_sha256: the files of the frozen backbone.
        training_triplets, held_out_triplets: how many of each.
        backbone_passes: forward passes of the frozen U-Net on one latent each, its training budget.
        held_out_mse: mean squared error of the predicted noise, by uniform timesteps.
        held_out_mse_without: the same without the encoder.
    """

    control_picture: ControlPicture = ControlPicture()
    recipe: SerializeAsAny[ControlRecipe]
    backbone_sha256: dict[str, str]
    training_triplets: int
    held_out_triplets: int
    backbone_passes: int
    held_out_mse: float
    held_out_mse_without: float


class TrainedEncoder(NamedTuple):
    """A trained encoder, a model of diffusers, and its figures."""

    network: Any
    result: ControlResult


def train_encoder(
    recipe: ControlRecipe,
    build: Callable[[Backbone], nn.Module],
    residuals: Residuals,
    folder: Path,
    cache: Path,
) -> TrainedEncoder:
    """Train the encoder that `build` makes for the recipe's backbone, which stays as it is.

    Args:
        folder: state of the training.
        cache: of renders.

    Raises:
        LepbenchError: the backbone cannot be loaded.
    """
    backbone = load_backbone(recipe.backbone, device())
    torch.manual_seed(recipe.fit.seed)
    encoder = build(backbone).to(device())
    everything = encode_range(backbone, recipe.train, recipe.detector, folder=folder, cache=cache)
    data, held_out = split_held_out(everything, recipe.held_out)
    schedule = make_schedule(backbone)

    def step(rng: torch.Generator) -> dict[str, Tensor]:
        rows = torch.randint(len(data), (recipe.fit.batch,), generator=rng)
        dropped = torch.rand(recipe.fit.batch, generator=rng) < recipe.caption_dropout
        states = torch.where(dropped[:, None, None], data.empty, data.states[rows])
        times = draw_times(recipe, backbone.train_timesteps, rng)
        predict = steer(backbone, encoder, residuals, states=states, pictures=data.pictures(rows))
        clean = data.latents[rows].float().to(backbone.device)
        return denoising_loss(predict, schedule, clean, snr_cap=recipe.snr_cap, rng=rng, times=times)

    Trainer(encoder, step, recipe.fit, folder).run(folder.name)
    with_it = measure_held_out(backbone, held_out, encoder, residuals)
    result = ControlResult(
        recipe=recipe,
        backbone_sha256=backbone.files_sha256,
        training_triplets=len(data),
        held_out_triplets=len(held_out),
        backbone_passes=recipe.fit.steps * recipe.fit.batch * recipe.fit.parts,
        held_out_mse=with_it,
        held_out_mse_without=measure_held_out(backbone, held_out, encoder, lambda *_: {}),
    )
    return TrainedEncoder(encoder, result)


def make_schedule(backbone: Backbone) -> Any:
    """The backbone's forward process, as a scheduler of diffusers."""
    from diffusers import DDPMScheduler

    return DDPMScheduler.from_config(dict(backbone.scheduler))


def draw_times(recipe: ControlRecipe, train_timesteps: int, rng: torch.Generator) -> Tensor:
    """Timesteps of a batch, int64 [B]."""
    places = torch.rand(recipe.fit.batch, generator=rng)
    if recipe.timesteps == "cubic":
        places = 1 - places**3
    return (places * train_timesteps).long().clamp(max=train_timesteps - 1)


def steer(
    backbone: Backbone, encoder: nn.Module, residuals: Residuals, states: Tensor, pictures: Tensor
) -> Callable[[Tensor, Tensor], Tensor]:
    """The frozen U-Net with the encoder's outputs added, as a function of latents and timesteps."""
    place = backbone.device

    def predict(noisy: Tensor, times: Tensor) -> Tensor:
        inputs = Inputs(noisy, times, states.to(place), pictures.to(place))
        added = residuals(encoder, inputs)
        predicted: Tensor = backbone.denoiser(noisy, times, inputs.states, **added).sample
        return predicted

    return predict


@torch.no_grad()
def measure_held_out(
    backbone: Backbone, data: ControlTriplets, encoder: nn.Module, residuals: Residuals
) -> float:
    """Mean squared error of the predicted noise over held-out triplets, the same noise for every encoder."""
    schedule, errors = make_schedule(backbone), []
    for first in range(0, len(data), HELD_OUT_BATCH):
        rows = torch.arange(first, min(first + HELD_OUT_BATCH, len(data)))
        rng = make_generator(derive_seed("held-out noise", first))
        states, pictures = data.states[rows], data.pictures(rows)
        predict = steer(backbone, encoder, residuals, states=states, pictures=pictures)
        clean = data.latents[rows].float().to(backbone.device)
        # The weighting is not part of the plain error.
        error = denoising_loss(predict, schedule, clean, snr_cap=1.0, rng=rng)["mse"]
        errors.append(float(error) * len(rows))
    return sum(errors) / len(data)
