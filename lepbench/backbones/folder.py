"""The files of a pipeline's folder: those that are fetched, and those that affect a result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from lepbench.backbones.family import Family, TextParts, choose_classes
from lepbench.backbones.load import (
    VARIANTS,
    find_weight_files,
    list_component_files,
    list_tokenizer_files,
    list_weight_patterns,
)
from lepbench.backbones.resolve import INDEX, find_model_folder
from lepbench.errors import LepbenchError
from lepbench.files import sha256_file

SCHEDULE = "scheduler/scheduler_config.json"
ADAPTER_CONFIG, ADAPTER_WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
"""Files of low-rank weights, as PEFT saves them."""


def fetch_folder(
    id_or_path: str | Path, components: Mapping[str, str], tokenizers: Mapping[str, str]
) -> Path:
    """The folder with all files to load; half precision is downloaded only if there is no full precision.

    Args:
        components, tokenizers: classes by the names of their folders.

    Raises:
        LepbenchError: it cannot be found or fetched.
    """
    patterns = [INDEX, "scheduler/*.json", *(f"{part}/*" for part in tokenizers)]
    for part, kind in components.items():
        patterns += list_weight_patterns(part, kind)
    folder = find_model_folder(id_or_path, patterns)
    lacking = {part: kind for part, kind in components.items() if not _has_weights(folder / part, kind)}
    if not lacking:
        return folder
    half = [list_weight_patterns(part, kind, VARIANTS[1]) for part, kind in lacking.items()]
    return find_model_folder(id_or_path, [pattern for patterns in half for pattern in patterns])


def _has_weights(folder: Path, kind: str) -> bool:
    try:
        find_weight_files(folder, kind)
    except LepbenchError:
        return False
    return True


def hash_folder(folder: Path, family: Family, text: TextParts) -> dict[str, str]:
    """SHA-256 of every file of a pipeline's folder that affects a result, by its path in the folder."""
    names = [INDEX, SCHEDULE]
    for part, kind in choose_classes(family, text.index).items():
        names += [f"{part}/{name}" for name in list_component_files(folder / part, kind)]
    for part in text.tokenizers:
        names += [f"{part}/{name}" for name in list_tokenizer_files(folder / part)]
    return {name: sha256_file(folder / name) for name in names}


def hash_adapter(folder: Path) -> dict[str, str]:
    """SHA-256 of an adapter's files that affect a result, by their names with `adapter/` in front."""
    names = [ADAPTER_CONFIG, ADAPTER_WEIGHTS, *([SCHEDULE] if (folder / SCHEDULE).is_file() else [])]
    return {f"adapter/{name}": sha256_file(folder / name) for name in names}


def holds_low_rank(names: Iterable[str]) -> bool:
    """Whether a folder with files of these names holds low-rank weights, by whatever program."""
    return any(name == ADAPTER_CONFIG or "lora" in name.lower() for name in names)
