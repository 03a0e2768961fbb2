"""Resolve a model name to a folder of files: embedded, local, or downloaded from the hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lepbench.embedded import ASSETS, is_embedded
from lepbench.errors import LepbenchError
from lepbench.fetch import PREFETCH, is_offline
from lepbench.files import is_file, is_folder
from lepbench.hub import HUB_ID, fetch_snapshot

INDEX = "model_index.json"
"""The file with the classes of a pipeline and its components."""


def find_embedded_folder(name: str) -> Path:
    """The folder of an embedded asset such as `mini@1`.

    Raises:
        LepbenchError: no such asset ships with this package; the message lists those that do.
    """
    folder = ASSETS / name
    if not folder.is_dir():
        present = sorted(p.name for p in ASSETS.glob("*@*")) if ASSETS.is_dir() else []
        raise LepbenchError(f"no embedded model {name!r}", f"there are: {', '.join(present) or 'none'}")
    return folder


def name_model(folder: Path) -> str:
    """The name of a model's folder that `find_model_folder` takes: an embedded name, or its path."""
    embedded = is_embedded(folder.name) and folder.parent.name == ASSETS.name
    return folder.name if embedded else str(folder)


WEIGHT_SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".onnx", ".msgpack", ".h5")
"""Suffixes of weights that are stored as one file; no hub id ends so."""


def is_weights_file(name: str | Path) -> bool:
    """Whether a name is that of a file of weights."""
    return Path(name).suffix.lower() in WEIGHT_SUFFIXES and not is_folder(name)


def is_local(name: str | Path) -> bool:
    """Whether a model is found without the hub: embedded, a folder, a file, or no hub id at all."""
    known = is_embedded(name) or is_folder(name) or is_weights_file(name)
    return known or not HUB_ID.fullmatch(str(name))


def check_model(name: str | Path) -> None:
    """Refuse the name of a model that is neither here nor can be on the hub; nothing is fetched or read.

    Raises:
        LepbenchError: no such model ships, or there is no such folder.
    """
    if is_embedded(name) or not HUB_ID.fullmatch(str(name)):
        find_model_folder(name, ())


def find_model_folder(name: str | Path, patterns: Sequence[str]) -> Path:
    """The folder that holds a model: `NAME@VERSION` is embedded, then a local folder, then a hub id.

    Args:
        patterns: the files to fetch from the hub, as globs; nothing else is downloaded.

    Raises:
        LepbenchError: it is none of the three, or the hub cannot be reached and its cache lacks the model.
    """
    text = str(name)
    if is_embedded(name):
        return find_embedded_folder(text)
    path = Path(text).expanduser() if text.startswith("~/") else Path(name)
    if is_folder(path):
        return path
    if is_file(path):
        raise LepbenchError(f"{text} is a file, and a model is a folder", f"did you mean {path.parent}?")
    if not HUB_ID.fullmatch(text):
        raise LepbenchError(
            f"no model folder {text!r}", "give a folder, an embedded name or a hub id 'owner/name'"
        )
    try:
        return fetch_snapshot(text, patterns)
    except ConnectionError as error:
        raise LepbenchError(
            f"{text!r} is neither a folder here nor could it be fetched ({error})",
            PREFETCH if is_offline() else "check the path, or the connection and the model's name",
        ) from error
