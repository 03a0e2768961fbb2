"""One component of a pipeline from its folder: safetensors only, and every fault a single line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lepbench.errors import LepbenchError

FILES = {
    "unet": "diffusion_pytorch_model.safetensors",
    "vae": "diffusion_pytorch_model.safetensors",
    "text_encoder": "model.safetensors",
}
"""The weight file of every component."""

COMPONENTS = tuple(FILES)


def choose_device(name: str | torch.device) -> torch.device:
    """The device called `name`; `auto` is a GPU if there is one.

    Raises:
        LepbenchError: there is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError):
        raise LepbenchError(f"no device {str(name)!r} here", "use auto, cpu or cuda") from None
    return device


def load_component(folder: Path, part: str, dtype: torch.dtype) -> nn.Module:
    """The U-Net, VAE or text encoder of a pipeline folder.

    Raises:
        LepbenchError: a file is missing, damaged, or lacks some of the weights its config asks for.
    """
    for name in ("config.json", FILES[part]):
        if not (folder / part / name).is_file():
            raise LepbenchError(
                f"missing weight file {folder / part / name}", "the folder is no whole pipeline"
            )
    from safetensors import SafetensorError

    try:
        with _quiet():
            module, report = _kinds()[part].from_pretrained(
                folder / part, use_safetensors=True, output_loading_info=True, **_options(part, dtype)
            )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise LepbenchError(f"{folder / part} cannot be loaded: {error}") from error
    # What a file lacks would be left at random values, with no more than a warning.
    absent = sorted(report["missing_keys"])
    if absent:
        raise LepbenchError(
            f"{folder / part / FILES[part]} lacks {len(absent)} weights of its config, first {absent[0]!r}"
        )
    loaded: nn.Module = module
    return loaded


def load_tokenizer(folder: Path) -> Any:
    """The CLIP tokenizer of a pipeline folder.

    Raises:
        LepbenchError: its files are missing or cannot be read.
    """
    from transformers import CLIPTokenizer

    if not (folder / "tokenizer").is_dir():
        raise LepbenchError(f"missing folder {folder / 'tokenizer'}", "the folder is no whole pipeline")
    try:
        return CLIPTokenizer.from_pretrained(folder / "tokenizer")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LepbenchError(f"{folder / 'tokenizer'} cannot be loaded: {error}") from error


def scheduler_config(folder: Path) -> dict[str, Any]:
    """The scheduler's config of a pipeline folder, from which any diffusers scheduler can be made.

    Raises:
        LepbenchError: the file is missing or no JSON.
    """
    path = folder / "scheduler" / "scheduler_config.json"
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LepbenchError(f"cannot read {path}: {error}", "the folder is no whole pipeline") from error
    return config


def _kinds() -> dict[str, Any]:
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel

    return {"unet": UNet2DConditionModel, "vae": AutoencoderKL, "text_encoder": CLIPTextModel}


def _options(part: str, dtype: torch.dtype) -> dict[str, Any]:
    # The lazy loading of diffusers wants a package that this one does not depend on.
    return {"dtype": dtype} if part == "text_encoder" else {"dtype": dtype, "low_cpu_mem_usage": False}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' own bars and warnings off the screen; what matters becomes an error here."""
    from diffusers.utils import logging as diffusers_log
    from transformers.utils import logging as transformers_log

    logs = (diffusers_log, transformers_log)
    levels = [log.get_verbosity() for log in logs]
    bars = [log for log in logs if log.is_progress_bar_enabled()]
    for log in logs:
        log.set_verbosity_error()
        log.disable_progress_bar()
    try:
        yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.set_verbosity(level)
        for log in bars:
            log.enable_progress_bar()
