"""What a backbone, or another model by its name, needs from elsewhere; nothing is fetched to say so."""

from __future__ import annotations

from pathlib import Path

from lepbench.backbones.adapter import find_adapter, read_adapter
from lepbench.backbones.family import choose_classes, list_present
from lepbench.backbones.identify import choose_family, find_pipeline, read_index
from lepbench.backbones.load import QUANTISERS, STEMS, VARIANTS, find_quantisation, read_mapping
from lepbench.backbones.resolve import INDEX, find_model_folder, is_local
from lepbench.errors import LepbenchError
from lepbench.hub import find_snapshot
from lepbench.hub_files import Choice, HubFiles
from lepbench.needs import BrokenNeed, Need, Package

BACKBONE = "backbone"


def list_backbone_needs(name: str | Path) -> list[Need]:
    """What a backbone needs, of one on the hub as far as its `model_index.json` is here."""
    try:
        adapter = find_adapter(name)
        if adapter is not None:
            below = list_backbone_needs(read_adapter(adapter).base_model_name_or_path)
            return [Package(BACKBONE, "peft", "pip install peft"), *below]
        if is_local(name):
            return list_quantisers(find_pipeline(name, []))
        folder = find_snapshot(str(name))
        if folder is None or not (folder / INDEX).is_file():
            return [HubFiles(BACKBONE, str(name), (INDEX,), leads=True)]
        return [list_pipeline_files(str(name), folder), *list_quantisers(folder)]
    except LepbenchError as error:
        return [BrokenNeed(BACKBONE, str(error))]


def list_pipeline_files(name: str, folder: Path) -> HubFiles:
    """The files of a pipeline on the hub that `load_backbone` reads.

    Args:
        folder: holds its `model_index.json`.

    Raises:
        LepbenchError: it is of no family that is known.
    """
    index = read_index(folder)
    family = choose_family(index.get("_class_name"))
    components = choose_classes(family, index)
    tokenizers = list_present(family, family.tokenizers, index)
    return HubFiles(
        BACKBONE,
        name,
        (
            INDEX,
            "scheduler/*.json",
            *(f"{part}/*" for part in tokenizers),
            *(f"{part}/config.json" for part in components),
        ),
        choices=tuple(list_weight_choices(part, kind) for part, kind in components.items()),
    )


def list_weight_choices(part: str, kind: str) -> Choice:
    """Globs of a component's weights, whole or an index and shards, in the order of `find_weight_files`."""
    stem = STEMS[kind.split(".")[0]]
    return tuple(
        globs
        for variant in VARIANTS
        for globs in (
            (f"{part}/{stem}{variant}.safetensors",),
            (f"{part}/{stem}.safetensors.index{variant}.json", f"{part}/{stem}{variant}-*.safetensors"),
        )
    )


def list_quantisers(folder: Path) -> list[Need]:
    """The packages that read quantised weights, as far as the configs of components are here."""
    methods = {find_quantisation(read_mapping(path)) for path in folder.glob("*/config.json")}
    modules = {QUANTISERS.get(method, method) for method in methods if method is not None}
    return [
        Package(BACKBONE, module, f"pip install {module.partition('.')[0]}") for module in sorted(modules)
    ]


def list_folder_needs(what: str, name: str | Path) -> list[Need]:
    """Nothing of a model whose folder is here or that is embedded; else what is wrong with its name."""
    try:
        find_model_folder(name, ())
    except LepbenchError as error:
        return [BrokenNeed(what, str(error))]
    return []
