"""The stages that make the models of the emoji."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lepbench.config import load_config
from lepbench.mini import emoji_judge, emoji_matcher, emoji_unet, emoji_vae
from lepbench.mini.kept_stages import ClipKept, NetKept, PipelineKept, VaeKept, load_vae
from lepbench.mini.stage import Stage


class EmojiVaeStage(VaeKept):
    name, output = "emoji-vae", "emoji-vae/final"

    def make(self, recipe: Path, folder: Path) -> Any:
        return emoji_vae.train(load_config(recipe, emoji_vae.EmojiVaeRecipe), folder / self.name)


class EmojiUnetStage(PipelineKept):
    name = "emoji-unet"

    def make(self, recipe: Path, folder: Path) -> Any:
        encoder = load_vae(folder, EmojiVaeStage)
        return emoji_unet.train(load_config(recipe, emoji_unet.EmojiUnetRecipe), encoder, folder / self.name)


class EmojiJudgeStage(ClipKept):
    name = "emoji-judge"

    def make(self, recipe: Path, folder: Path) -> Any:
        return emoji_judge.train(load_config(recipe, emoji_judge.EmojiJudgeRecipe), folder / self.name)


class EmojiMatcherStage(NetKept):
    name = "emoji-matcher"

    def make(self, recipe: Path, folder: Path) -> Any:
        return emoji_matcher.train(load_config(recipe, emoji_matcher.EmojiMatcherRecipe), folder / self.name)


EMOJI_STAGES: tuple[type[Stage], ...] = (EmojiVaeStage, EmojiUnetStage, EmojiJudgeStage, EmojiMatcherStage)
