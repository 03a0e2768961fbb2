"""Networks of transformers from a folder: whole, offline, and never made up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lepbench.errors import LepbenchError
from lepbench.judges.weights import find_weights
from lepbench.quiet import silence_libraries


def load_parts(folder: Path, kinds: tuple[Any, Any, Any], device: str) -> tuple[Any, Any, Any]:
    """Model, tokenizer and image processor of a folder.

    Args:
        kinds: their classes in transformers.

    Raises:
        LepbenchError: a file is missing or does not fit.
    """
    model_class, tokenizer_class, processor_class = kinds
    fix = f"give a folder, or id, with a {model_class.__name__}, its tokenizer and its image processor"
    with explain_unloadable(f"a model from {folder}", fix):
        require_files(folder)
        model = load_network(model_class, folder)
        tokenizer = tokenizer_class.from_pretrained(folder, local_files_only=True)
        processor = processor_class.from_pretrained(folder, local_files_only=True)
    return model.to(device), tokenizer, processor


def load_network(model_class: Any, folder: Path) -> Any:
    """The model of a folder.

    Raises:
        ValueError: the weights do not fill it; or whatever transformers raises.
    """
    with silence_libraries("transformers"):
        model, loading = model_class.from_pretrained(
            folder,
            use_safetensors=find_weights(folder).suffix == ".safetensors",
            output_loading_info=True,
            local_files_only=True,
        )
    require_filled(loading)
    return model


@contextmanager
def explain_unloadable(what: str, fix: str) -> Iterator[None]:
    """A block that loads a network.

    Raises:
        LepbenchError: it cannot be loaded; one line says why.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise LepbenchError(f"cannot load {what}: {reason}", fix) from error


def require_files(folder: Path) -> None:
    """Refuse a folder without configuration or tokenizer: transformers would silently make one up.

    Raises:
        FileNotFoundError: a file is missing, or the folder is.
    """
    if not folder.is_dir():
        raise FileNotFoundError("there is no such folder")
    for names in (("config.json",), ("tokenizer.json", "vocab.json", "tokenizer.model", "spiece.model")):
        if not any((folder / name).is_file() for name in names):
            raise FileNotFoundError(f"there is no {names[0]}")


def require_filled(loading: dict[str, Any]) -> None:
    """Refuse weights that do not fill the model: transformers would fill the rest at random.

    Raises:
        ValueError: a tensor is missing or of another shape.
    """
    absent = [*loading["missing_keys"], *(key[0] for key in loading["mismatched_keys"])]
    if absent:
        raise ValueError(f"the weights lack {sorted(absent)[0]} and {len(absent) - 1} more")
