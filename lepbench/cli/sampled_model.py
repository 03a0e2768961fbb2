"""By what `lepbench sample` draws: its own options, or a MODEL.yaml."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lepbench.backbones.assemble import load_backbone
from lepbench.config import load_config, parse_config
from lepbench.errors import LepbenchError
from lepbench.guidance.presets import PRESETS, Preset
from lepbench.guidance.schedulers import imply_sampler
from lepbench.guidance.settings import SamplerSettings
from lepbench.methods import LepConfig, Method, ModelConfig

if TYPE_CHECKING:
    from lepbench.backbones import Backbone
    from lepbench.backbones.load import Precision

Chosen = tuple["Backbone", Callable[[], Method], str]
"""A backbone, what loads the method, and what is not wanted."""
IN_MODEL = {
    *("backbone_name", "predictor", "preset", "precision", "scale", "stop", "steps", "scheduler"),
    *("guidance_scale", "negative_prompt"),
}
"""Options that a MODEL.yaml has keys for."""


def choose_own(
    name: str, predictor: str, preset: str, options: dict[str, Any], *, device: str, precision: Precision
) -> Chosen:
    """The command's own options: a backbone, and what loads guidance by a predictor."""
    chosen = PRESETS.get(preset)
    steering = {key: options.pop(key) for key in ("scale", "stop")}
    given = {key: value for key, value in steering.items() if value is not None}
    # Checked before anything is loaded, so that an error is reported at once.
    _settings(chosen, {}, options)
    config = parse_config(chosen.steering() | given | {"predictor": predictor}, LepConfig, "")
    backbone = load_backbone(name, device, precision)
    settings = _settings(chosen, imply_sampler(backbone), options)
    backbone.require_negatives(settings.guidance_scale, [settings.negative_prompt])
    return backbone, lambda: config.build(backbone, settings), settings.negative_prompt


def choose_model(path: Path, device: str) -> Chosen:
    """A MODEL.yaml: its backbone, and what loads its method.

    Raises:
        LepbenchError: options beside it say the same, or its method has no backbone.
    """
    _refuse_beside_model()
    config = load_config(path, ModelConfig)
    backbone = load_backbone(config.require_backbone(path), device, config.precision)
    return backbone, lambda: config.method.build(backbone, config.sampler), config.sampler.negative_prompt


def _refuse_beside_model() -> None:
    """Refuse options that a MODEL.yaml has keys for.

    Raises:
        LepbenchError: one is given.
    """
    context = click.get_current_context()
    for parameter in context.command.params:
        source = context.get_parameter_source(str(parameter.name))
        if parameter.name in IN_MODEL and source is not click.core.ParameterSource.DEFAULT:
            raise LepbenchError(f"--model and {parameter.opts[0]} are both given", "write it into the file")


def _settings(preset: Preset, implied: dict[str, Any], options: dict[str, Any]) -> SamplerSettings:
    """The sampler's settings: the command's options, then those that a backbone implies, then the preset's.

    Raises:
        LepbenchError: one is out of range, or no scheduler has that name.
    """
    given = {name: value for name, value in options.items() if value is not None}
    return parse_config(preset.sampler(implied | given), SamplerSettings, "")
