"""What a name that is no saved pipeline stands for, and how a pipeline is made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lepbench.backbones.families import FAMILIES
from lepbench.backbones.family import Family
from lepbench.backbones.folder import holds_low_rank
from lepbench.backbones.load import read_mapping
from lepbench.backbones.resolve import INDEX, find_model_folder, is_local, is_weights_file
from lepbench.errors import LepbenchError
from lepbench.files import list_visible, read_json
from lepbench.plugins import describe_failures

CONVERT = "convert it once: diffusers.{kind}.from_single_file({name!r}).save_pretrained('FOLDER')"
APPLY = "load it into its model and save that: {calls}; pipe.save_pretrained('FOLDER')"
LORA = ("a LoRA", "pipe.load_lora_weights({name!r}); pipe.fuse_lora(); pipe.unload_lora_weights()")
INVERSION = ("a textual inversion", "pipe.load_textual_inversion({name!r})")
INSERT = (
    "put it into its model: DiffusionPipeline.from_pretrained(MODEL, {part}=...).save_pretrained('FOLDER')"
)

KINDS = {
    "conditioner.embedders.1.": "StableDiffusionXLPipeline",
    "joint_blocks.": "StableDiffusion3Pipeline",
    "double_blocks.": "FluxPipeline",
}
"""Pipelines by a part of their weights' names in single files; Stable Diffusion 1 and 2 otherwise."""

PARTS = {"UNet": "unet", "Auto": "vae", "Text": "text_encoder", "T5": "text_encoder"}
"""Components by a part of their class's name; a transformer otherwise."""


def find_pipeline(name: str | Path, patterns: Sequence[str]) -> Path:
    """The folder of a saved pipeline, as `find_model_folder` finds it.

    Raises:
        LepbenchError: as there, or something else has this name; the message says what to make of it.
    """
    path = Path(name)
    if is_weights_file(name):
        raise _explain_file(path)
    folder = find_model_folder(name, [INDEX, *patterns])
    if not (folder / INDEX).is_file():
        if is_local(name):
            raise _explain_folder(folder)
        raise LepbenchError(f"{str(name)!r} on the hub has no {INDEX}", "give the hub id of a whole pipeline")
    return folder


def read_index(folder: Path) -> dict[str, Any]:
    """The `model_index.json` of a pipeline."""
    return read_mapping(folder / INDEX)


def choose_family(name: object) -> Family:
    """The family of a pipeline class.

    Raises:
        LepbenchError: there is none; classes with near names are other pipelines, so all are listed.
    """
    if not isinstance(name, str) or name not in FAMILIES:
        fix = "; ".join(filter(None, (f"families: {_list_families()}", describe_failures())))
        raise LepbenchError(f"unknown pipeline class {name!r}", fix)
    return FAMILIES.get(name)


def _list_families() -> str:
    """The families, and their pipeline classes in brackets."""
    classes: dict[str, list[str]] = {}
    for name in FAMILIES:
        classes.setdefault(FAMILIES.get(name).name, []).append(name)
    return ", ".join(f"{family} ({', '.join(names)})" for family, names in sorted(classes.items()))


def _explain_file(path: Path) -> LepbenchError:
    """One file instead of a folder: a checkpoint, or weights that are added to a model."""
    if not path.is_file():
        return LepbenchError(
            f"no file {str(path)!r}", "give a folder, an embedded name or a hub id 'owner/name'"
        )
    if (path.parent / "config.json").is_file():
        return _explain_folder(path.parent)
    if path.suffix.lower() == ".gguf":
        return LepbenchError(f"{path} holds quantised weights of one network", "use the unquantised model")
    if path.suffix.lower() == ".safetensors":
        names = _list_weights(path)
        if any("lora" in name for name in names):
            return _explain_addition(path, *LORA)
        kind = next((kind for part, kind in KINDS.items() if any(part in name for name in names)), None)
    else:
        kind = None
    advice = CONVERT.format(kind=kind or "StableDiffusionPipeline", name=str(path))
    return LepbenchError(f"{path} is a single file, and a backbone is a folder", advice)


def _list_weights(path: Path) -> list[str]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as weights:
            return list(weights.keys())
    except (OSError, SafetensorError):
        return []


def _explain_addition(path: Path, what: str, calls: str) -> LepbenchError:
    """Weights that are added to those of a model."""
    advice = APPLY.format(calls=calls.format(name=str(path)))
    return LepbenchError(f"{path} is {what}, which alone draws nothing", advice)


def _explain_folder(folder: Path) -> LepbenchError:
    """A folder without `model_index.json`."""
    names = [path.name for path in list_visible(folder)]
    if not names:
        return LepbenchError(f"the folder {folder} is empty", "give the folder of a saved pipeline")
    near = _find_near(folder)
    if near is not None and "config.json" not in names:
        return LepbenchError(f"missing file {folder / INDEX}", f"did you mean {near}?")
    if holds_low_rank(names):
        return _explain_addition(folder, *LORA)
    if any(name.startswith("learned_embeds") for name in names):
        return _explain_addition(folder, *INVERSION)
    if "config.json" in names:
        return _explain_component(folder)
    single = [name for name in names if is_weights_file(folder / name)]
    if single:
        return _explain_file(folder / single[0])
    return LepbenchError(
        f"missing file {folder / INDEX}: the folder holds {_list_some(names)}",
        "give the folder of a saved pipeline",
    )


def _find_near(folder: Path) -> Path | None:
    """The pipeline that a folder is part of or holds, as the hub's cache does."""
    if (folder.parent / INDEX).is_file():
        return folder.parent
    nested = [
        path.parent for depth in ("*", "snapshots/*") for path in sorted(folder.glob(f"{depth}/{INDEX}"))
    ]
    return next(iter(nested), None)


def _explain_component(folder: Path) -> LepbenchError:
    """A folder that `save_pretrained` of one network wrote."""
    config = read_json(folder / "config.json", "")
    found = config if isinstance(config, dict) else {}
    kind = found.get("_class_name") or next(iter(found.get("architectures") or ()), "network")
    part = next((part for piece, part in PARTS.items() if piece in str(kind)), "transformer")
    near = _find_near(folder)
    return LepbenchError(
        f"missing file {folder / INDEX}: the folder holds one component, a {kind}",
        INSERT.format(part=part) if near is None else f"did you mean {near}?",
    )


def _list_some(names: Iterable[str]) -> str:
    """The first three names."""
    first, *rest = names
    return ", ".join([first, *rest[:2]]) + (" ..." if len(rest) > 2 else "")
