"""The stages that make the embedded models: a recipe in, a folder of weights out."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from lepbench.config import load_config
from lepbench.errors import LepbenchError
from lepbench.files import make_folder
from lepbench.mini import judge, probe, segmenter, unet, vae
from lepbench.mini.nets import save_weights
from lepbench.registry import Registry

RECIPES = Path(__file__).parent / "recipes"


class Stage:
    """A stage's work and where its finished model goes, below the folder of all stages."""

    output: str

    def run(self, recipe: Path, folder: Path) -> None:
        raise NotImplementedError


STAGES: Registry[type[Stage]] = Registry("stage")


def train(name: str, folder: Path, recipe: Path | None = None) -> Path:
    """Train one stage, or go on where it was interrupted, and return the folder of its finished model.

    Args:
        name: a stage of `STAGES`.
        folder: of all stages; `unet` finds the VAE there.
        recipe: a YAML of the stage's recipe; the package's own unless given.

    Raises:
        LepbenchError: unknown stage, unreadable recipe, or a stage this one needs has not been trained.
    """
    stage = STAGES.get(name)()
    stage.run(recipe or RECIPES / f"{name}.yaml", make_folder(folder))
    return folder / stage.output


@STAGES.register("vae")
class VaeStage(Stage):
    output = "vae/final"

    def run(self, recipe: Path, folder: Path) -> None:
        model = vae.train(load_config(recipe, vae.VaeRecipe), folder / "vae", folder / "cache")
        model.cpu().save_pretrained(folder / self.output, safe_serialization=True)


@STAGES.register("unet")
class UnetStage(Stage):
    output = "mini@1"

    def run(self, recipe: Path, folder: Path) -> None:
        from diffusers import AutoencoderKL

        source = folder / VaeStage.output
        if not source.is_dir():
            raise LepbenchError(f"no trained VAE in {source}", "run 'lepbench mini train vae' first")
        encoder = AutoencoderKL.from_pretrained(source).eval().requires_grad_(False)
        settings = load_config(recipe, unet.UnetRecipe)
        pipeline = unet.train(settings, encoder, folder / "unet", folder / "cache")
        pipeline.to("cpu", torch.float16).save_pretrained(folder / self.output, safe_serialization=True)
        forget_origin(folder / self.output)


@STAGES.register("judge")
class JudgeStage(Stage):
    output = "judge@1"

    def run(self, recipe: Path, folder: Path) -> None:
        model, tokenizer = judge.train(
            load_config(recipe, judge.JudgeRecipe), folder / "judge", folder / "cache"
        )
        judge.save(model.cpu(), tokenizer, folder / self.output)
        forget_origin(folder / self.output)


@STAGES.register("probe")
class ProbeStage(Stage):
    output = "probe@1"

    def run(self, recipe: Path, folder: Path) -> None:
        model = probe.train(load_config(recipe, probe.ProbeRecipe), folder / "probe", folder / "cache")
        save_weights(model.cpu(), make_folder(folder / self.output))


@STAGES.register("segmenter")
class SegmenterStage(Stage):
    output = "segmenter@1"

    def run(self, recipe: Path, folder: Path) -> None:
        settings = load_config(recipe, segmenter.SegmenterRecipe)
        model = segmenter.train(settings, folder / "segmenter", folder / "cache")
        save_weights(model.cpu(), make_folder(folder / self.output))


def forget_origin(folder: Path) -> None:
    """Strip the path that diffusers notes in a config: it is a machine's, not the model's."""
    for path in folder.rglob("*.json"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r'\n\s*"_name_or_path": "[^"]*",', "", text), encoding="utf-8")
