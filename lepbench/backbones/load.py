"""Load a pipeline component from its folder: safetensors only, each error in one line."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from lepbench.errors import LepbenchError
from lepbench.files import list_visible, read_json
from lepbench.quiet import silence_libraries
from lepbench.weights_header import StoredTensor, find_odd_size, read_header

STEMS = {"diffusers": "diffusion_pytorch_model", "transformers": "model"}
"""What the libraries call a component's weights."""

DTYPES = {"diffusers": "torch_dtype", "transformers": "dtype"}
"""Name of the libraries' precision argument; diffusers before 0.40 ignores `dtype`."""

VARIANTS = ("", ".fp16")
"""Weight variants in order of preference: full precision first."""

Precision = Literal["float32", "bfloat16", "float16"]
"""Of a backbone's weights as they are loaded."""

NOT_WHOLE = "the folder is no whole pipeline"

OTHER_WEIGHTS = {
    ".safetensors": "safetensors of another name, which are not read",
    ".bin": "a pickle, which is never read",
    ".ckpt": "a pickle, which is never read",
    ".pt": "a pickle, which is never read",
    ".pth": "a pickle, which is never read",
    ".msgpack": "weights of Flax, which are not read",
    ".h5": "weights of TensorFlow, which are not read",
    ".onnx": "an ONNX graph, which is not read",
    ".gguf": "a GGUF file, which is not read",
}
"""What a component may hold in place of its weights, by suffix; the first that is found is named."""

QUANTISERS = {
    "bitsandbytes": "bitsandbytes",
    "quanto": "optimum.quanto",
    "modelopt": "modelopt",
    "gptq": "gptqmodel",
}
"""The module that reads quantised weights, where it is not called as the method."""


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
    raise LepbenchError(*_explain_missing(folder, stem))


def _explain_missing(folder: Path, stem: str) -> tuple[str, str]:
    """What is missing in a component's folder, what is there instead, and what to do."""
    missing = f"missing weight file {folder / stem}.safetensors"
    names = [path.name for path in list_visible(folder)] if folder.is_dir() else []
    for suffix, what in OTHER_WEIGHTS.items():
        found = next((name for name in names if name.endswith(suffix)), None)
        if found is not None:
            return f"{missing}: there is {found}, {what}", _advise(folder, stem, found)
    return missing, NOT_WHOLE


def _advise(folder: Path, stem: str, found: str) -> str:
    """How a file that is not read becomes one that is: by diffusers, where it can load it."""
    variant = found.removeprefix(f"{stem}.").split(".")[0].split("-")[0]
    if found.endswith(".bin"):
        options = ""
    elif found.endswith(".safetensors") and found.startswith(f"{stem}."):
        options = f", variant={variant!r}"
    else:
        return "use the model's safetensors"
    load = f"diffusers.DiffusionPipeline.from_pretrained({str(folder.parent)!r}{options})"
    return f"save it anew: {load}.save_pretrained('FOLDER')"


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
    require_quantiser(folder)
    variant, names = find_weight_files(folder, kind)
    lost = [name for name in names if not (folder / name).is_file()]
    if lost:
        raise LepbenchError(
            f"{folder} cannot be loaded: its index names {lost[0]}, which is not there", NOT_WHOLE
        )
    from safetensors import SafetensorError

    _require_proportion(folder, names)
    options: dict[str, Any] = {DTYPES[kind.split(".")[0]]: dtype, "variant": variant.lstrip(".") or None}
    try:
        with silence_libraries():
            module, report = import_class(kind).from_pretrained(
                folder, use_safetensors=True, output_loading_info=True, local_files_only=True, **options
            )
    except (ImportError, OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise LepbenchError(f"{folder} cannot be loaded: {error}", NOT_WHOLE) from error
    # Weights missing in a file would stay random or uninitialised with only a warning. With shards
    # diffusers trusts the index, so missing weights are recognised by tensors without data.
    tensors = chain(module.named_parameters(), module.named_buffers())
    absent = sorted({*report["missing_keys"], *(name for name, tensor in tensors if tensor.is_meta)})
    if absent:
        raise LepbenchError(
            f"{folder / names[0]} lacks {len(absent)} weights of its config, first {absent[0]!r}",
            "put back the weights that were saved with this config.json",
        )
    loaded: nn.Module = module
    return loaded


def _require_proportion(folder: Path, names: Sequence[str]) -> None:
    """Check that a network is built for no more than its weights hold.

    Raises:
        LepbenchError: a weight file is damaged, or the config asks for sizes that no file has.
    """
    header: dict[str, StoredTensor] = {}
    for name in names:
        header |= read_header(folder / name, NOT_WHOLE)
    odd = find_odd_size(read_mapping(folder / "config.json"), header)
    if odd is not None:
        raise LepbenchError(
            f"{folder / 'config.json'} asks for {odd}, and the weights hold nothing of that size",
            "put back the config.json that was saved with them",
        )


def require_quantiser(folder: Path) -> None:
    """Check that quantised weights can be read.

    Raises:
        LepbenchError: the package that quantised them is not installed.
    """
    method = find_quantisation(read_mapping(folder / "config.json"))
    if method is None:
        return
    module = QUANTISERS.get(method, method)
    try:
        present = importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        present = False
    if not present:
        raise LepbenchError(
            f"{folder} is quantised by {method}, which is not installed",
            "install it, or use the weights that are not quantised",
        )


def place_component(network: nn.Module, device: torch.device, folder: Path) -> None:
    """Move a loaded component to a device, in eval mode and with no trainable parameters.

    Raises:
        LepbenchError: its weights are quantised and cannot be moved there.
    """
    try:
        network.requires_grad_(False).eval().to(device)
    except (ValueError, RuntimeError) as error:
        raise LepbenchError(
            f"{folder} cannot be moved to {device}: {error}",
            "choose another device, or weights that are not quantised",
        ) from error


def read_config(network: Any) -> Mapping[str, Any]:
    """The config of a loaded component of diffusers or transformers, as a mapping."""
    config = network.config
    found: Mapping[str, Any] = config if isinstance(config, Mapping) else config.to_dict()
    return found


def list_class_names(network: Any) -> list[str]:
    """The class of a loaded component, seen through `torch.compile` and PEFT, and its base classes."""
    network = getattr(network, "_orig_mod", network)
    network = network.get_base_model() if hasattr(network, "get_base_model") else network
    return [kind.__name__ for kind in type(network).__mro__]


def find_quantisation(config: Mapping[str, Any]) -> str | None:
    """The method by which a component's weights are quantised; None if they are not."""
    found = config.get("quantization_config")
    if not found:
        return None
    method = found.get("quant_method") if isinstance(found, Mapping) else getattr(found, "quant_method", None)
    # bitsandbytes wrote no method at first.
    return str(getattr(method, "value", method) or "bitsandbytes")


def load_config(folder: Path, kind: str) -> dict[str, Any]:
    """A component's config, its class's defaults filled in.

    Raises:
        LepbenchError: it is missing or no mapping.
    """
    return fill_defaults(kind, read_mapping(folder / "config.json"))


def fill_defaults(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """A config of a `library.Class` with the class's defaults filled in."""
    class_ = import_class(kind)
    if kind.startswith("transformers."):
        return {**class_.config_class().to_dict(), **config}
    parameters = inspect.signature(class_).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty} | dict(config)


def load_tokenizer(folder: Path, kind: str) -> Any:
    """A tokenizer from its folder.

    Raises:
        LepbenchError: its files are missing or cannot be read.
    """
    if not folder.is_dir():
        raise LepbenchError(f"missing folder {folder}", NOT_WHOLE)
    tokenizer = import_class(kind)
    # Without these files transformers builds an empty vocabulary, in which every word is unknown.
    names = tokenizer.vocab_files_names
    vocabularies = [names[name] for name in ("tokenizer_file", "vocab_file") if name in names]
    if not any((folder / name).is_file() for name in vocabularies):
        raise LepbenchError(f"missing file {folder / vocabularies[0]}", NOT_WHOLE)
    try:
        return tokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:
        # tokenizers raises nothing more special.
        raise LepbenchError(f"{folder} cannot be loaded: {error}", NOT_WHOLE) from error


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
