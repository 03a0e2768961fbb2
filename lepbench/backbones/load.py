"""Load a pipeline component from its folder: safetensors only, each error in one line."""

from __future__ import annotations

import importlib
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from lepbench.errors import LepbenchError
from lepbench.files import list_visible, read_json
from lepbench.quiet import silence_libraries

STEMS = {"diffusers": "diffusion_pytorch_model", "transformers": "model"}
"""What the libraries call a component's weights."""

DTYPES = {"diffusers": "torch_dtype", "transformers": "dtype"}
"""Name of the libraries' precision argument; diffusers before 0.40 ignores `dtype`."""

VARIANTS = ("", ".fp16")
"""Weight variants in order of preference: full precision first."""

Precision = Literal["float32", "bfloat16", "float16"]
"""Of a backbone's weights as they are loaded."""

NOT_WHOLE = "the folder is no whole pipeline"


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


def import_class(kind: str) -> Any:
    """The class called `library.Class`."""
    library, name = kind.split(".")
    return getattr(importlib.import_module(library), name)


def list_weight_patterns(part: str, kind: str, variant: str = "") -> list[str]:
    """Globs of a component's config and weights in one precision, whole or in shards."""
    stem = STEMS[kind.split(".")[0]]
    weights = (
        f"{stem}{variant}.safetensors",
        f"{stem}{variant}-*.safetensors",
        f"{stem}.safetensors.index{variant}.json",
    )
    return [f"{part}/{name}" for name in ("config.json", *weights)]


def find_weight_files(folder: Path, kind: str) -> tuple[str, list[str]]:
    """The variant of a component that is read, and the names of its weight files in `folder`.

    Raises:
        LepbenchError: there are none, or the list of shards cannot be read.
    """
    stem = STEMS[kind.split(".")[0]]
    for variant in VARIANTS:
        if (folder / f"{stem}{variant}.safetensors").is_file():
            return variant, [f"{stem}{variant}.safetensors"]
        index = folder / f"{stem}.safetensors.index{variant}.json"
        if index.is_file():
            return variant, _shards(index)
    raise LepbenchError(f"missing weight file {folder / stem}.safetensors", NOT_WHOLE)


def list_component_files(folder: Path, kind: str) -> list[str]:
    """The names of all files in `folder` that a component is read from.

    Raises:
        LepbenchError: as `find_weight_files`.
    """
    variant, weights = find_weight_files(folder, kind)
    stem = STEMS[kind.split(".")[0]]
    whole = weights == [f"{stem}{variant}.safetensors"]
    return ["config.json", *([] if whole else [f"{stem}.safetensors.index{variant}.json"]), *weights]


def list_tokenizer_files(folder: Path) -> list[str]:
    """The names of all files of a tokenizer; which ones it reads depends on the others."""
    return [path.name for path in list_visible(folder) if path.is_file()]


def _shards(index: Path) -> list[str]:
    shards = read_mapping(index).get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise LepbenchError(f"{index} lists no weight files", NOT_WHOLE)
    return sorted(set(shards.values()))


def load_component(folder: Path, kind: str, dtype: torch.dtype) -> nn.Module:
    """The denoiser, VAE or a text encoder from its folder, as a `library.Class`.

    Raises:
        LepbenchError: a file is missing, damaged, or lacks some of the weights its config asks for.
    """
    if not (folder / "config.json").is_file():
        raise LepbenchError(f"missing file {folder / 'config.json'}", NOT_WHOLE)
    variant, names = find_weight_files(folder, kind)
    from safetensors import SafetensorError

    options: dict[str, Any] = {DTYPES[kind.split(".")[0]]: dtype, "variant": variant.lstrip(".") or None}
    try:
        with silence_libraries():
            module, report = import_class(kind).from_pretrained(
                folder, use_safetensors=True, output_loading_info=True, local_files_only=True, **options
            )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise LepbenchError(f"{folder} cannot be loaded: {error}") from error
    # Weights missing in a file would stay random or uninitialised with only a warning. With shards
    # diffusers trusts the index, so missing weights are recognised by tensors without data.
    tensors = chain(module.named_parameters(), module.named_buffers())
    absent = sorted({*report["missing_keys"], *(name for name, tensor in tensors if tensor.is_meta)})
    if absent:
        raise LepbenchError(
            f"{folder / names[0]} lacks {len(absent)} weights of its config, first {absent[0]!r}"
        )
    loaded: nn.Module = module
    return loaded


def load_tokenizer(folder: Path, kind: str) -> Any:
    """A tokenizer from its folder.

    Raises:
        LepbenchError: its files are missing or cannot be read.
    """
    if not folder.is_dir():
        raise LepbenchError(f"missing folder {folder}", NOT_WHOLE)
    tokenizer = import_class(kind)
    # Without these files transformers builds an empty vocabulary, in which every word is unknown.
    vocabularies = [tokenizer.vocab_files_names[name] for name in ("tokenizer_file", "vocab_file")]
    if not any((folder / name).is_file() for name in vocabularies):
        raise LepbenchError(f"missing file {folder / vocabularies[0]}", NOT_WHOLE)
    try:
        return tokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:
        # tokenizers raises nothing more special.
        raise LepbenchError(f"{folder} cannot be loaded: {error}") from error


def read_mapping(path: Path) -> dict[str, Any]:
    """A mapping that a file of a pipeline holds.

    Raises:
        LepbenchError: the file is missing or holds no JSON mapping.
    """
    if not path.is_file():
        raise LepbenchError(f"missing file {path}", NOT_WHOLE)
    content = read_json(path, NOT_WHOLE)
    if not isinstance(content, dict):
        raise LepbenchError(f"{path} holds no mapping", NOT_WHOLE)
    return content
