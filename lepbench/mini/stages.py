"""The stages that make the embedded models: a recipe in, a folder of weights out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

from safetensors.torch import load_file, save_file
from torch import nn

from lepbench.config import Config, load_config
from lepbench.errors import LepbenchError
from lepbench.files import atomic_path, make_folder, write_text
from lepbench.judges.networks import save_weights
from lepbench.mini import (
    controlnet,
    distil,
    emoji_unet,
    emoji_vae,
    judge,
    matcher,
    probe,
    segmenter,
    t2i_adapter,
    unet,
    vae,
)
from lepbench.mini.about import RECIPES, find_output
from lepbench.mini.control import ControlRecipe, TrainedEncoder
from lepbench.mini.training import join_processes
from lepbench.registry import Registry

METRICS = "metrics.json"
VAE = "vae/final"
"""Of the stage `vae`, below the folder of all stages: a part of mini, and no model that ships."""


class Stage:
    """What a stage makes of a recipe, and how that is kept."""

    name: ClassVar[str]

    @property
    def output(self) -> str:
        """The folder of what it made, below that of all stages."""
        return find_output(self.name)

    def make(self, recipe: Path, folder: Path) -> Any:
        raise NotImplementedError

    def keep(self, made: Any, folder: Path) -> None:
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
    made = stage.make(recipe or RECIPES / f"{name}.yaml", make_folder(folder))
    rank, _ = join_processes()
    if rank == 0:
        stage.keep(made, make_folder(folder / stage.output))
    return folder / stage.output


class VaeStage(Stage):
    name, output = "vae", VAE

    def make(self, recipe: Path, folder: Path) -> Any:
        return vae.train(load_config(recipe, vae.VaeRecipe), folder / "vae", folder / "cache")

    def keep(self, made: Any, folder: Path) -> None:
        made.cpu().save_pretrained(folder, safe_serialization=True)


class UnetStage(Stage):
    name = "unet"

    def make(self, recipe: Path, folder: Path) -> Any:
        from diffusers import AutoencoderKL

        source = folder / VAE
        if not source.is_dir():
            raise LepbenchError(f"no trained VAE in {source}", "run 'lepbench mini train vae' first")
        encoder = AutoencoderKL.from_pretrained(source).eval().requires_grad_(False)
        return unet.train(load_config(recipe, unet.UnetRecipe), encoder, folder / "unet", folder / "cache")

    def keep(self, made: Any, folder: Path) -> None:
        made.to("cpu").save_pretrained(folder, safe_serialization=True)
        halve_weights(folder)
        forget_origin(folder)


class JudgeStage(Stage):
    name = "judge"

    def make(self, recipe: Path, folder: Path) -> Any:
        return judge.train(load_config(recipe, judge.JudgeRecipe), folder / self.name, folder / "cache")

    def keep(self, made: Any, folder: Path) -> None:
        model, tokenizer = made
        judge.save(model.cpu(), tokenizer, folder)
        halve_weights(folder)
        forget_origin(folder)


class GuardStage(JudgeStage):
    name = "guard"


class NetStage(Stage):
    """A stage whose model is one small network; `recipe` and `fit` are its own."""

    recipe: ClassVar[type[Config]]
    fit: ClassVar[staticmethod[[Any, Path, Path], nn.Module]]

    def make(self, recipe: Path, folder: Path) -> nn.Module:
        return self.fit(load_config(recipe, self.recipe), folder / self.name, folder / "cache")

    def keep(self, made: Any, folder: Path) -> None:
        save_weights(made.cpu(), folder)


class ProbeStage(NetStage):
    name = "probe"
    recipe, fit = probe.ProbeRecipe, staticmethod(probe.train)


class SegmenterStage(NetStage):
    name = "segmenter"
    recipe, fit = segmenter.SegmenterRecipe, staticmethod(segmenter.train)


class MatcherStage(NetStage):
    name = "matcher"
    recipe, fit = matcher.MatcherRecipe, staticmethod(matcher.train)


class EncoderStage(Stage):
    """A stage whose model is an encoder of sketches for mini; `recipe` and `fit` are its own."""

    recipe: ClassVar[type[ControlRecipe]]
    fit: ClassVar[staticmethod[[Any, Path, Path], TrainedEncoder]]

    def make(self, recipe: Path, folder: Path) -> TrainedEncoder:
        return self.fit(load_config(recipe, self.recipe), folder / self.name, folder / "cache")

    def keep(self, made: TrainedEncoder, folder: Path) -> None:
        made.network.cpu().save_pretrained(folder, safe_serialization=True)
        halve_weights(folder)
        forget_origin(folder)
        write_text(folder / METRICS, made.result.model_dump_json(indent=2) + "\n")


class ControlNetStage(EncoderStage):
    name = "controlnet"
    recipe, fit = controlnet.ControlNetRecipe, staticmethod(controlnet.train)


class LongControlNetStage(ControlNetStage):
    name = "controlnet-8x"


class AdapterStage(EncoderStage):
    name = "t2i-adapter"
    recipe, fit = t2i_adapter.AdapterRecipe, staticmethod(t2i_adapter.train)


class LongAdapterStage(AdapterStage):
    name = "t2i-adapter-8x"


class LiveStage(Stage):
    name = "live"

    def make(self, recipe: Path, folder: Path) -> distil.Student:
        return distil.train(load_config(recipe, distil.DistilRecipe), folder / self.name, folder / "cache")

    def keep(self, made: distil.Student, folder: Path) -> None:
        distil.save(made, folder)
        halve_weights(folder)
        write_text(folder / METRICS, made.result.model_dump_json(indent=2) + "\n")


class EmojiVaeStage(Stage):
    name, output = "emoji-vae", "emoji-vae/final"

    def make(self, recipe: Path, folder: Path) -> Any:
        return emoji_vae.train(load_config(recipe, emoji_vae.EmojiVaeRecipe), folder / self.name)

    def keep(self, made: Any, folder: Path) -> None:
        made.cpu().save_pretrained(folder, safe_serialization=True)


class EmojiUnetStage(UnetStage):
    name, output = "emoji-unet", "emoji@1"

    def make(self, recipe: Path, folder: Path) -> Any:
        from diffusers import AutoencoderKL

        source = folder / EmojiVaeStage.output
        if not source.is_dir():
            raise LepbenchError(f"no trained VAE in {source}", "run 'lepbench mini train emoji-vae' first")
        encoder = AutoencoderKL.from_pretrained(source).eval().requires_grad_(False)
        return emoji_unet.train(load_config(recipe, emoji_unet.EmojiUnetRecipe), encoder, folder / self.name)


for kind in (
    EmojiVaeStage,
    EmojiUnetStage,
    VaeStage,
    UnetStage,
    JudgeStage,
    GuardStage,
    ProbeStage,
    SegmenterStage,
    MatcherStage,
    ControlNetStage,
    LongControlNetStage,
    AdapterStage,
    LongAdapterStage,
    LiveStage,
):
    STAGES.register(kind.name)(kind)


def list_encoders() -> tuple[str, ...]:
    """The folders of mini's encoders of sketches; those that do not ship are trained by their recipes."""
    return tuple(find_output(name) for name in STAGES if issubclass(STAGES.get(name), EncoderStage))


def halve_weights(folder: Path) -> None:
    """Store weights as float16; the configs go on saying float32, so that loaders compute in it."""
    for path in folder.rglob("*.safetensors"):
        halves = {
            name: value.half() if value.is_floating_point() else value
            for name, value in load_file(path).items()
        }
        with atomic_path(path) as partial:
            save_file(halves, partial, metadata={"format": "pt"})


def forget_origin(folder: Path) -> None:
    """Strip the path that diffusers notes in a config: it is a machine's, not the model's."""
    for path in folder.rglob("*.json"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r'\n\s*"_name_or_path": "[^"]*",', "", text), encoding="utf-8")
