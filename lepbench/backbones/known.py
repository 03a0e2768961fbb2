"""Configurations of released models by short name, and of any other model; no weights are needed."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from lepbench.backbones.families import FAMILIES
from lepbench.backbones.family import ComponentConfig, Family
from lepbench.backbones.identify import choose_family, find_pipeline, read_index
from lepbench.backbones.load import fill_defaults, load_config
from lepbench.documents import parse_yaml


class Known(NamedTuple):
    """The true configuration of a released model.

    Attributes:
        family: its kind.
        parameters: of the denoiser.
        denoiser, vae, scheduler: configs, as far as they differ from the defaults of their classes.
    """

    family: Family
    parameters: int
    denoiser: ComponentConfig
    vae: ComponentConfig
    scheduler: ComponentConfig


@cache
def load_known() -> dict[str, Known]:
    """All released models with a known configuration, by short name."""
    text = (files("lepbench.backbones") / "known.yaml").read_text(encoding="utf-8")
    return {
        name: Known(FAMILIES.get(entry.pop("pipeline")), **entry) for name, entry in parse_yaml(text).items()
    }


def find_denoiser(name: str | Path) -> tuple[Family, dict[str, Any]]:
    """Family and whole denoiser config of a short name, an embedded name, a folder or a hub id.

    Raises:
        LepbenchError: it is none of these, or its configs cannot be read.
    """
    if str(name) in load_known():
        model = load_known()[str(name)]
        return model.family, fill_defaults(model.family.components[model.family.denoiser], model.denoiser)
    family = choose_family(read_index(find_pipeline(name, [])).get("_class_name"))
    kind = family.components[family.denoiser]
    folder = find_pipeline(name, [f"{family.denoiser}/config.json"])
    return family, load_config(folder / family.denoiser, kind)
