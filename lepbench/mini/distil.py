"""Fewer steps for the embedded model: low-rank weights take one step where their teacher takes several."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers import DDIMScheduler
from pydantic import Field
from torch import Tensor

from lepbench.backbones import load_backbone
from lepbench.config import Config
from lepbench.mini.control import make_schedule
from lepbench.mini.corpus import Range
from lepbench.mini.denoising import Predict
from lepbench.mini.training import Fit, Trainer, device
from lepbench.mini.triplets import encode_scenes


class DistilRecipe(Config):
    """How the student is made: guidance and progressive distillation in one (Meng et al., 2023).

    Attributes:
        backbone: the teacher, an embedded name or a folder.
        train: scenes whose latents and captions it is trained on.
        steps: of the student, trailing as in diffusers.
        substeps: DDIM steps of the teacher for one of the student's.
        guidance_scale: of the teacher's classifier-free guidance; the student has none.
        rank: of the student's weights beside the teacher's (Hu et al., 2021, "LoRA").
        layers: names, or ends of names, of the layers that have them.
    """

    backbone: str = "mini@1"
    train: Range
    steps: int = Field(default=4, ge=1)
    substeps: int = Field(default=3, ge=1)
    guidance_scale: float = Field(default=4.0, ge=1)
    rank: int = Field(default=32, ge=1)
    layers: tuple[str, ...]
    fit: Fit


class DistilResult(Config):
    """Figures of a finished distillation (`metrics.json`).

    Attributes:
        recipe: its configuration.
        backbone_sha256: the files of the teacher.
        teacher_passes: forward passes of the teacher on one latent each.
    """

    recipe: DistilRecipe
    backbone_sha256: dict[str, str]
    teacher_passes: int


class Student(NamedTuple):
    """The trained denoiser, a `peft.PeftModel`, the teacher's training schedule, and figures."""

    network: Any
    schedule: Mapping[str, Any]
    result: DistilResult


def train(recipe: DistilRecipe, folder: Path, cache: Path) -> Student:
    """Train the student.

    Args:
        folder: state of the training.
        cache: of renders.
    """
    from peft import LoraConfig, get_peft_model

    backbone = load_backbone(recipe.backbone, device())
    torch.manual_seed(recipe.fit.seed)
    data = encode_scenes(backbone, recipe.train, folder, cache)
    schedule = make_schedule(backbone)
    alphas = schedule.alphas_cumprod.to(backbone.device)
    # At first equal to the teacher: one of the two factors of each product starts as zeros.
    layers = list(recipe.layers)
    network: Any = get_peft_model(
        backbone.denoiser,
        LoraConfig(r=recipe.rank, lora_alpha=recipe.rank, target_modules=layers, lora_dropout=0.0),
    )

    def step(rng: torch.Generator) -> dict[str, Tensor]:
        rows = torch.randint(len(data.latents), (recipe.fit.batch,), generator=rng)
        states, empty = data.states[rows].to(backbone.device), data.empty.to(backbone.device)
        clean = data.latents[rows].float().to(backbone.device)
        noise = torch.randn(clean.shape, generator=rng).to(backbone.device)
        places = torch.randint(recipe.steps, (recipe.fit.batch,), generator=rng).to(backbone.device)
        first, last = name_timesteps(places, recipe.steps, len(alphas))
        noisy = schedule.add_noise(clean, noise, first)
        with torch.no_grad(), network.disable_adapter():
            guided = guide(network, states, empty, recipe.guidance_scale)
            target = take_steps(guided, noisy, alphas, first=first, last=last, count=recipe.substeps)
        reached = take_steps(
            lambda z, t: network(z, t, states).sample, noisy, alphas, first=first, last=last, count=1
        )
        error = (reached.float() - target).square().mean((1, 2, 3))
        return {"loss": error.mean()}

    Trainer(network, step, recipe.fit, folder).run(folder.name)
    passes = 2 * recipe.substeps * recipe.fit.steps * recipe.fit.batch * recipe.fit.parts
    result = DistilResult(recipe=recipe, backbone_sha256=backbone.files_sha256, teacher_passes=passes)
    return Student(network, backbone.scheduler, result)


def name_timesteps(places: Tensor, steps: int, train_timesteps: int) -> tuple[Tensor, Tensor]:
    """The timesteps int64 [B] between which a step of number `places` goes; -1 is the clean latent.

    They are those of `timestep_spacing: trailing` in diffusers.
    """
    length = train_timesteps / steps
    first, last = ((train_timesteps - number * length).round().long() - 1 for number in (places, places + 1))
    return first, last


def guide(network: Any, states: Tensor, empty: Tensor, scale: float) -> Predict:
    """Classifier-free guidance, both passes in one batch."""

    def predict(latents: Tensor, times: Tensor) -> Tensor:
        both = torch.cat([empty.expand_as(states), states])
        without, conditional = network(latents.repeat(2, 1, 1, 1), times.repeat(2), both).sample.chunk(2)
        guided: Tensor = without + scale * (conditional - without)
        return guided

    return predict


def take_steps(
    predict: Predict, latents: Tensor, alphas: Tensor, first: Tensor, last: Tensor, count: int
) -> Tensor:
    """`count` DDIM steps of equal length from timesteps `first` to `last` (Song et al., 2020, eq. 12, eta 0).

    Args:
        alphas: the cumulative products abar_t of the training schedule.
        first, last: int64 [B]; -1 stands for abar of the first timestep, as diffusers steps where
            `set_alpha_to_one` is false.
    """
    bounds = [(first + (last - first) * number / count).round().long() for number in range(count + 1)]
    for start, end in itertools.pairwise(bounds):
        (a, s), (a_end, s_end) = _levels(alphas, start), _levels(alphas, end)
        noise = predict(latents, start)
        latents = a_end * (latents - s * noise) / a + s_end * noise
    return latents


def _levels(alphas: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
    """The factors of clean latent and noise at timesteps, [B, 1, 1, 1] each."""
    alpha = alphas[times.clamp_min(0)].view(-1, 1, 1, 1)
    return alpha.sqrt(), (1 - alpha).sqrt()


def save(student: Student, folder: Path) -> None:
    """Save the low-rank weights as PEFT does, naming their model, and the schedule of their steps."""
    recipe = student.result.recipe
    network = student.network.cpu()
    network.peft_config["default"].base_model_name_or_path = recipe.backbone
    network.save_pretrained(folder, safe_serialization=True, save_embedding_layers=False)
    # Cards are written from the gates.
    (folder / "README.md").unlink(missing_ok=True)
    schedule = DDIMScheduler.from_config(dict(student.schedule), timestep_spacing="trailing")
    schedule.save_pretrained(folder / "scheduler")
