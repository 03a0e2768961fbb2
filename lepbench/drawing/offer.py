"""What the page offers to choose: models, presets, and the words that the backbone knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from lepbench.config import Config, load_config, parse_config
from lepbench.errors import LepbenchError
from lepbench.guidance.presets import PRESETS
from lepbench.methods import ModelConfig
from lepbench.methods.steered import SteeredConfig
from lepbench.mini.words import list_known_phrases

MINI = "mini@1"
EMBEDDED = (
    {"name": "predictor", "preset": "fast", "method": "lep"},
    {
        "name": "controlnet",
        "sampler": {"steps": 20, "scheduler": "unipc", "guidance_scale": 4.0},
        "method": {"name": "controlled", "control": "controlnet-mini@1"},
    },
    {
        "name": "t2i-adapter",
        "sampler": {"steps": 20, "scheduler": "unipc", "guidance_scale": 4.0},
        "method": {"name": "controlled", "control": "t2i-adapter-mini@1"},
    },
    {"name": "unguided", "preset": "fast", "method": "unguided"},
)
"""Models of mini that are offered where no other is given."""
KINDS = ("colour", "texture", "shape", "relation", "background")
"""Of words, in the order of a caption."""
LIVE = {
    "predictor": {
        "backbone": "mini-live@1",
        "preset": "live",
        "sampler": {"guidance_scale": 1.0},
        "method": {"name": "lep", "predictor": "lep-mini-live@1"},
    },
    "controlnet": {
        "backbone": "mini-live@1",
        "sampler": {"steps": 4, "scheduler": "ddim", "guidance_scale": 1.0},
        "method": {"name": "controlled", "control": "controlnet-mini@1"},
    },
}
"""What draws live instead of some of them: the distilled mini."""


class OfferedModel(Config):
    """A model as the page shows it.

    Attributes:
        backbone: what draws, as a label beside the figures of others.
        live: what draws live in its place, as a label; empty where it draws itself.
        steered: whether scale, stop and presets are for it.
    """

    name: str
    backbone: str
    live: str
    steered: bool


class Offer(Config):
    """What the page lets one choose.

    Attributes:
        words: that the backbone knows, by what they say; none where it knows a language.
    """

    models: tuple[OfferedModel, ...]
    presets: tuple[str, ...]
    words: dict[str, tuple[str, ...]]


def list_models(files: Sequence[Path]) -> list[ModelConfig]:
    """The models of MODEL.yaml files, or those of mini where there are none.

    Raises:
        LepbenchError: a file is none of a model, its method has no backbone, or two have one name.
    """
    if not files:
        return [parse_config(dict(settings), ModelConfig, "") for settings in EMBEDDED]
    found = [load_config(path, ModelConfig) for path in files]
    for path, model in zip(files, found, strict=True):
        model.require_backbone(path)
    names = [model.name for model in found]
    if len(set(names)) < len(names):
        raise LepbenchError(f"two models have one name: {', '.join(names)}", "rename one")
    return found


def list_live(files: Sequence[Path]) -> dict[str, ModelConfig]:
    """What draws live instead of the models of `list_models`, by their names."""
    if files:
        return {}
    return {name: parse_config({"name": name, **given}, ModelConfig, "") for name, given in LIVE.items()}


def make_offer(
    models: Sequence[ModelConfig], live: Mapping[str, ModelConfig] = MappingProxyType({})
) -> Offer:
    """What the page says of models.

    Args:
        live: what draws live instead of a model, by its name.
    """
    known = list_known_phrases(MINI) if all(model.backbone == MINI for model in models) else []
    words = {
        kind: found for kind in KINDS if (found := tuple(phrase for phrase, its in known if its == kind))
    }
    shown = tuple(
        OfferedModel(
            name=model.name,
            backbone=model.backbone or "",
            live=live[model.name].backbone or "" if model.name in live else "",
            steered=isinstance(model.method, SteeredConfig),
        )
        for model in models
    )
    return Offer(models=shown, presets=tuple(PRESETS), words=words)
