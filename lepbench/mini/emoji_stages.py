"""The stages that make the models of the emoji."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lepbench.config import load_config
from lepbench.errors import LepbenchError
from lepbench.judges.networks import save_weights
from lepbench.mini import emoji_judge, emoji_matcher, emoji_unet, emoji_vae, judge
from lepbench.mini.stage import Stage, forget_origin, halve_weights


class EmojiVaeStage(Stage):
    name, output = "emoji-vae", "emoji-vae/final"

    def make(self, recipe: Path, folder: Path) -> Any:
        return emoji_vae.train(load_config(recipe, emoji_vae.EmojiVaeRecipe), folder / self.name)

    def keep(self, made: Any, folder: Path) -> None:
        made.cpu().save_pretrained(folder, safe_serialization=True)


class EmojiUnetStage(Stage):
    name = "emoji-unet"

    def make(self, recipe: Path, folder: Path) -> Any:
        from diffusers import AutoencoderKL

        source = folder / EmojiVaeStage.output
        if not source.is_dir():
            raise LepbenchError(f"no trained VAE in {source}", "run 'lepbench mini train emoji-vae' first")
        encoder = AutoencoderKL.from_pretrained(source).eval().requires_grad_(False)
        return emoji_unet.train(load_config(recipe, emoji_unet.EmojiUnetRecipe), encoder, folder / self.name)

    def keep(self, made: Any, folder: Path) -> None:
        made.to("cpu").save_pretrained(folder, safe_serialization=True)
        halve_weights(folder)
        forget_origin(folder)


class EmojiJudgeStage(Stage):
    name = "emoji-judge"

    def make(self, recipe: Path, folder: Path) -> Any:
        return emoji_judge.train(load_config(recipe, emoji_judge.EmojiJudgeRecipe), folder / self.name)

    def keep(self, made: Any, folder: Path) -> None:
        model, tokenizer = made
        judge.save(model.cpu(), tokenizer, folder)
        halve_weights(folder)
        forget_origin(folder)


class EmojiMatcherStage(Stage):
    name = "emoji-matcher"

    def make(self, recipe: Path, folder: Path) -> Any:
        return emoji_matcher.train(load_config(recipe, emoji_matcher.EmojiMatcherRecipe), folder / self.name)

    def keep(self, made: Any, folder: Path) -> None:
        save_weights(made.cpu(), folder)


EMOJI_STAGES: tuple[type[Stage], ...] = (EmojiVaeStage, EmojiUnetStage, EmojiJudgeStage, EmojiMatcherStage)
