"""Low-rank weights beside those of a backbone: a folder as PEFT saves it, which names the model it is for."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.folder import ADAPTER_CONFIG, ADAPTER_WEIGHTS, SCHEDULE
from lepbench.backbones.load import read_mapping
from lepbench.backbones.resolve import find_model_folder, is_local, is_weights_file
from lepbench.errors import LepbenchError
from lepbench.quiet import silence_libraries


class LowRank(BaseModel):
    """What is read of `adapter_config.json`; other keys are not looked at unless they change the weights.

    Attributes:
        base_model_name_or_path: the backbone, an embedded name, a folder or a hub id.
        r: rank of the products that are added to the weights (Hu et al., 2021, "LoRA").
        lora_alpha: the products are multiplied by lora_alpha / r.
        target_modules: names of layers, or ends of names.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    peft_type: str
    base_model_name_or_path: str = Field(min_length=1)
    r: int = Field(ge=1, le=1024)
    lora_alpha: int = Field(gt=0)
    target_modules: tuple[str, ...] = Field(min_length=1)
    use_dora: bool = False
    use_rslora: bool = False
    bias: str = "none"
    rank_pattern: dict[str, int] = {}
    alpha_pattern: dict[str, float] = {}


PLAIN: dict[str, Any] = {
    "peft_type": "LORA",
    "use_dora": False,
    "use_rslora": False,
    "bias": "none",
    "rank_pattern": {},
    "alpha_pattern": {},
}
"""Keys of which only this value is read."""


def find_adapter(name: str | Path) -> Path | None:
    """The folder of a model that is low-rank weights beside another's; None for every other name."""
    if not is_local(name) or is_weights_file(name):
        return None
    try:
        folder = find_model_folder(name, ())
    except LepbenchError:
        return None  # Loading it says what is wrong.
    return folder if (folder / ADAPTER_CONFIG).is_file() and (folder / ADAPTER_WEIGHTS).is_file() else None


def read_adapter(folder: Path) -> LowRank:
    """The settings of an adapter.

    Raises:
        LepbenchError: they cannot be read, name no backbone, or are of another kind than plain LoRA.
    """
    path = folder / ADAPTER_CONFIG
    try:
        settings = LowRank.model_validate(read_mapping(path))
    except ValueError as error:
        raise LepbenchError(
            f"{path} holds no settings of LoRA with its base model",
            "save it anew with PEFT's save_pretrained",
        ) from error
    other = next((key for key, value in PLAIN.items() if getattr(settings, key) != value), None)
    if other is not None:
        raise LepbenchError(
            f"{path}: {other} is {getattr(settings, other)!r}, and only plain LoRA is read",
            "merge it into its model with PEFT's merge_and_unload, and give that",
        )
    return settings


def apply_adapter(backbone: Backbone, folder: Path, settings: LowRank, name: str) -> Backbone:
    """The backbone with the adapter's products added to its denoiser, and the adapter's schedule if any.

    Raises:
        LepbenchError: the weights do not fit the denoiser.
    """
    from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    layers = LoraConfig(
        r=settings.r, lora_alpha=settings.lora_alpha, target_modules=list(settings.target_modules)
    )
    misfit = LepbenchError(
        f"the weights in {folder / ADAPTER_WEIGHTS} do not fit {settings.base_model_name_or_path}",
        f"check base_model_name_or_path in {folder / ADAPTER_CONFIG}",
    )
    try:
        with silence_libraries():
            adapted: Any = get_peft_model(backbone.denoiser, layers)
            weights = {key: value.float() for key, value in load_file(folder / ADAPTER_WEIGHTS).items()}
            outcome: Any = set_peft_model_state_dict(adapted, weights)
    except (KeyError, OSError, RuntimeError, SafetensorError, ValueError) as error:
        raise misfit from error
    if outcome.unexpected_keys or any("lora" in key for key in outcome.missing_keys):
        raise misfit
    denoiser = adapted.merge_and_unload().eval().requires_grad_(False)
    schedule = folder / SCHEDULE
    scheduler = read_mapping(schedule) if schedule.is_file() else backbone.scheduler
    return dataclasses.replace(backbone, name=name, denoiser=denoiser, scheduler=scheduler, adapter=folder)
