"""A pipeline of diffusers by its name: embedded, a folder, or a hub id."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lepbench.backbones.family import choose_classes
from lepbench.backbones.identify import choose_family, find_pipeline, read_index
from lepbench.backbones.load import find_weight_files, require_quantiser
from lepbench.backbones.resolve import is_local
from lepbench.errors import LepbenchError
from lepbench.quiet import silence_libraries


def load_pipeline(id_or_path: str | Path, options: Mapping[str, Any]) -> Any:
    """Load a pipeline of diffusers without a progress bar; only safetensors unless `options` say otherwise.

    Args:
        id_or_path: an embedded name (`mini@1`), a folder, or a hub id.
        options: of `DiffusionPipeline.from_pretrained`.

    Raises:
        LepbenchError: it cannot be found or loaded.
    """
    from diffusers import DiffusionPipeline

    found, given = str(id_or_path), {"use_safetensors": True, **options}
    if is_local(id_or_path):
        folder, variant = _find_readable(id_or_path, options)
        found, given = str(folder), {"variant": variant, **given}
    try:
        with silence_libraries():
            pipe = DiffusionPipeline.from_pretrained(found, **given)
    except (
        AttributeError,
        ImportError,
        LookupError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        raise LepbenchError(
            f"the pipeline {str(id_or_path)!r} cannot be loaded: {error}",
            "check its name and the options",
        ) from error
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _find_readable(name: str | Path, options: Mapping[str, Any]) -> tuple[Path, str | None]:
    """The folder of a local pipeline, and the variant of its weights: half precision if some have no other.

    Raises:
        LepbenchError: it is none, of no family, or its weights are of a kind that is neither read nor asked
            for, or quantised by a package that is not installed.
    """
    folder = find_pipeline(name, [])
    index = read_index(folder)
    parts = choose_classes(choose_family(index.get("_class_name")), index)
    if {"variant", "use_safetensors"} & set(options):
        return folder, None
    variants = set()
    for part, kind in parts.items():
        if part not in options:
            variants.add(find_weight_files(folder / part, kind)[0])
            require_quantiser(folder / part)
    return folder, max(variants, default="").lstrip(".") or None
