"""Stages by what they make: how models of a kind are kept, and how the VAE of an earlier stage is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lepbench.errors import LepbenchError
from lepbench.judges.networks import save_weights
from lepbench.mini import judge
from lepbench.mini.stage import Stage, forget_origin, halve_weights


class VaeKept(Stage):
    """An autoencoder, in float32: the next stage trains on what it encodes."""

    def keep(self, made: Any, folder: Path) -> None:
        made.cpu().save_pretrained(folder, safe_serialization=True)


class PipelineKept(Stage):
    """A whole pipeline."""

    def keep(self, made: Any, folder: Path) -> None:
        made.to("cpu").save_pretrained(folder, safe_serialization=True)
        halve_weights(folder)
        forget_origin(folder)


class ClipKept(Stage):
    """A CLIP model with its tokenizer."""

    def keep(self, made: Any, folder: Path) -> None:
        model, tokenizer = made
        judge.save(model.cpu(), tokenizer, folder)
        halve_weights(folder)
        forget_origin(folder)


class NetKept(Stage):
    """One small network."""

    def keep(self, made: Any, folder: Path) -> None:
        save_weights(made.cpu(), folder)


def load_vae(folder: Path, stage: type[Stage]) -> Any:
    """The VAE that a stage trained, frozen.

    Args:
        folder: of all stages.

    Raises:
        LepbenchError: it has not been trained.
    """
    from diffusers import AutoencoderKL

    source = folder / stage().output
    if not source.is_dir():
        raise LepbenchError(f"no trained VAE in {source}", f"run 'lepbench mini train {stage.name}' first")
    return AutoencoderKL.from_pretrained(source).eval().requires_grad_(False)
