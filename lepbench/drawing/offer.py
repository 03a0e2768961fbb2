"""What the page offers to choose: models, presets, and the words that the backbone knows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lepbench.config import Config, load_config, parse_config
from lepbench.guidance.presets import PRESETS
from lepbench.methods import ModelConfig
from lepbench.methods.steered import SteeredConfig

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
        steered: whether scale, stop and presets are for it.
    """

    name: str
    backbone: str
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
        LepbenchError: a file is none of a model, or its method draws nothing here.
    """
    if files:
        return [load_config(path, ModelConfig) for path in files]
    return [parse_config(dict(settings), ModelConfig, "") for settings in EMBEDDED]


def list_live(files: Sequence[Path]) -> dict[str, ModelConfig]:
    """What draws live instead of the models of `list_models`, by their names."""
    if files:
        return {}
    return {name: parse_config({"name": name, **given}, ModelConfig, "") for name, given in LIVE.items()}


def make_offer(models: Sequence[ModelConfig]) -> Offer:
    """What the page says of models."""
    from lepbench.sketchworld import BACKGROUNDS, COLOURS, SHAPES, TEXTURES

    knows_sketchworld = all(model.backbone == MINI for model in models)
    phrases = tuple(ground.phrase for ground in BACKGROUNDS.values())
    words = {
        "colours": tuple(COLOURS),
        "patterns": tuple(texture for texture in TEXTURES if texture != "plain"),
        "things": tuple(SHAPES),
        "places": phrases,
    }
    shown = tuple(
        OfferedModel(
            name=model.name,
            backbone=model.backbone or "",
            steered=isinstance(model.method, SteeredConfig),
        )
        for model in models
    )
    return Offer(models=shown, presets=tuple(PRESETS), words=words if knows_sketchworld else {})
