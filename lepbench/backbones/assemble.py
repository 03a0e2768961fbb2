"""A backbone of loaded components, and of the files of a pipeline's folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import torch

from lepbench.backbones.adapter import apply_adapter, find_adapter, read_adapter
from lepbench.backbones.backbone import Backbone
from lepbench.backbones.checks import SCHEDULER, check_pipeline
from lepbench.backbones.family import Family, TextParts, choose_classes, list_present
from lepbench.backbones.folder import SCHEDULE, fetch_folder
from lepbench.backbones.identify import choose_family, find_pipeline, read_index
from lepbench.backbones.known import load_known
from lepbench.backbones.load import (
    Precision,
    choose_device,
    load_component,
    load_config,
    load_tokenizer,
    place_component,
    read_mapping,
)
from lepbench.backbones.taps import find_module
from lepbench.errors import LepbenchError
from lepbench.registry import suggest_name

_FILES = {SCHEDULER: SCHEDULE}
"""Files of parts that have no `config.json`."""

B = TypeVar("B", bound=Backbone)


def load_backbone(
    id_or_path: str | Path, device: str | torch.device = "cpu", precision: Precision = "float32"
) -> Backbone:
    """Load a diffusers pipeline folder for feature extraction and sampling, not for training.

    Only safetensors are read, in half precision if there is nothing else; no safety checker is loaded.

    Args:
        id_or_path: an embedded name (`mini@1`), a folder, or a hub id. A folder of low-rank weights as PEFT
            saves them stands for the model that it names with these weights added.
        device: a torch device, or `auto` for a GPU if there is one.
        precision: of all weights, except those of a VAE that needs float32.

    Raises:
        LepbenchError: it cannot be found or fetched, a file is missing or damaged, its layout is unknown, or
            it asks for an input that is not given (`checks.NEEDS`).
    """
    adapter = find_adapter(id_or_path)
    if adapter is not None:
        settings = read_adapter(adapter)
        if find_adapter(settings.base_model_name_or_path) is not None:
            raise LepbenchError(
                f"{adapter} is low-rank weights beside other low-rank weights",
                "merge the first into their model, and name that as base_model_name_or_path",
            )
        base = load_backbone(settings.base_model_name_or_path, device, precision)
        return apply_adapter(base, adapter, settings, str(id_or_path))
    if str(id_or_path) in load_known() and not Path(id_or_path).is_dir():
        raise LepbenchError(
            f"{str(id_or_path)!r} is the short name of a released model, whose weights do not ship",
            "give its folder or its hub id 'owner/name'",
        )
    if precision not in get_args(Precision):
        raise LepbenchError(f"unknown precision {precision!r}", suggest_name(precision, get_args(Precision)))
    where, dtype = choose_device(device), getattr(torch, precision)
    index = read_index(find_pipeline(id_or_path, []))
    family = choose_family(index.get("_class_name"))
    components = choose_classes(family, index)
    tokenizers = list_present(family, family.tokenizers, index)
    folder = fetch_folder(id_or_path, components, tokenizers)
    configs = {part: load_config(folder / part, kind) for part, kind in components.items()}
    configs[SCHEDULER] = read_mapping(folder / SCHEDULE)
    check_pipeline(family, configs, lambda part: str(folder / _FILES.get(part, f"{part}/config.json")))
    parts: dict[str, Any] = {}
    for part, kind in components.items():
        # The VAE of SDXL overflows in half precision; its config has force_upcast.
        whole = part == "vae" and configs[part].get("force_upcast", True)
        parts[part] = load_component(folder / part, kind, torch.float32 if whole else dtype)
        place_component(parts[part], where, folder / part)
    return assemble_backbone(
        Backbone,
        name=str(id_or_path),
        folder=folder,
        family=family,
        components=parts,
        tokenizers={part: load_tokenizer(folder / part, kind) for part, kind in tokenizers.items()},
        index=index,
        scheduler=family.amend_schedule(configs[SCHEDULER]),
        device=where,
        dtype=dtype,
    )


def assemble_backbone(
    kind: type[B],
    *,
    name: str,
    folder: Path,
    family: Family,
    components: Mapping[str, Any],
    tokenizers: Mapping[str, Any],
    index: Mapping[str, Any],
    scheduler: Mapping[str, Any],
    device: torch.device,
    dtype: torch.dtype,
) -> B:
    """A backbone of loaded components, by folder; they are not changed.

    Raises:
        LepbenchError: the denoiser has other modules than its family taps.
    """
    encoders = {part: found for part, found in components.items() if part not in (family.denoiser, "vae")}
    denoiser = components[family.denoiser]
    text = TextParts(
        tokenizers=tokenizers,
        encoders=encoders,
        index=index,
        denoiser=denoiser.config,
        device=device,
        multi_vector=family.multi_vector,
    )
    taps = family.positions(denoiser.config)
    for tap in taps:
        find_module(denoiser, tap)
    return kind(
        name=name,
        folder=folder,
        family=family,
        denoiser=denoiser,
        vae=components["vae"],
        text=text,
        scheduler=scheduler,
        taps=taps,
        device=device,
        dtype=dtype,
    )
