"""The stages that make the embedded models: a recipe in, a folder of weights out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from lepbench.config import Config, load_config
from lepbench.files import make_folder, write_text
from lepbench.mini import (
    controlnet,
    distil,
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
from lepbench.mini.emoji_stages import EMOJI_STAGES
from lepbench.mini.kept_stages import ClipKept, NetKept, PipelineKept, VaeKept, load_vae
from lepbench.mini.stage import METRICS, STAGES, Stage, forget_origin, halve_weights
from lepbench.mini.training import join_processes

VAE = "vae/final"
"""Of the stage `vae`, below the folder of all stages: a part of mini, and no model that ships."""


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


class VaeStage(VaeKept):
    name, output = "vae", VAE

    def make(self, recipe: Path, folder: Path) -> Any:
        return vae.train(load_config(recipe, vae.VaeRecipe), folder / "vae", folder / "cache")


class UnetStage(PipelineKept):
    name = "unet"

    def make(self, recipe: Path, folder: Path) -> Any:
        encoder = load_vae(folder, VaeStage)
        return unet.train(load_config(recipe, unet.UnetRecipe), encoder, folder / "unet", folder / "cache")


class JudgeStage(ClipKept):
    name = "judge"

    def make(self, recipe: Path, folder: Path) -> Any:
        return judge.train(load_config(recipe, judge.JudgeRecipe), folder / self.name, folder / "cache")


class GuardStage(JudgeStage):
    name = "guard"


class NetStage(NetKept):
    """A stage whose model is one small network; `recipe` and `fit` are its own."""

    recipe: ClassVar[type[Config]]
    fit: ClassVar[staticmethod[[Any, Path, Path], nn.Module]]

    def make(self, recipe: Path, folder: Path) -> nn.Module:
        return self.fit(load_config(recipe, self.recipe), folder / self.name, folder / "cache")


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


KINDS: tuple[type[Stage], ...] = (
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
    *EMOJI_STAGES,
)
for kind in KINDS:
    STAGES.register(kind.name)(kind)


def list_encoders() -> tuple[str, ...]:
    """The folders of mini's encoders of sketches; those that do not ship are trained by their recipes."""
    return tuple(find_output(name) for name in STAGES if issubclass(STAGES.get(name), EncoderStage))
