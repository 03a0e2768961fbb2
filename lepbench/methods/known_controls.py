"""Settings of published control modules, by hub id; `known.yaml` says where each is stated."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from pydantic import Field

from lepbench.config import Config, parse_config
from lepbench.documents import parse_yaml
from lepbench.errors import LepbenchError
from lepbench.registry import suggest_name

Polarity = Literal["white-on-black", "black-on-white"]
"""Of the strokes of a control picture and its ground."""

PICTURE = ("polarity", "channels", "range")
"""What the control picture of a module is; nothing can be drawn without it."""

SAMPLING = ("steps", "guidance_scale", "scheduler")
"""What belongs to the sampler."""


class KnownControl(Config):
    """A published control module's picture and settings; those that are None are not stated by its authors.

    Attributes:
        module: its class in diffusers.
        family: of the backbones that it controls.
        polarity, channels, range, scale, mode, start, end, licence: as in `ControlledConfig`.
        detector: of the edge maps that it was trained on.
        steps, guidance_scale, scheduler: as in `SamplerSettings`.
    """

    module: str
    family: str
    polarity: Polarity
    channels: Literal[1, 3]
    range: tuple[float, float]
    detector: str
    scale: float | None = Field(default=None, ge=0)
    mode: int | None = Field(default=None, ge=0)
    start: float | None = None
    end: float | None = None
    licence: str | None = None
    steps: int | None = None
    guidance_scale: float | None = None
    scheduler: str | None = None

    def method(self) -> dict[str, Any]:
        """What is stated of the method, as keys of `ControlledConfig`."""
        return self.model_dump(exclude_none=True, exclude={"module", "family", "detector", *SAMPLING})

    def list_settings(self) -> dict[str, Any]:
        """What is stated beside the control picture, for a list."""
        left_out = {"module", "family", "detector", "licence", *PICTURE}
        return self.model_dump(exclude_none=True, exclude=left_out)

    def sampler(self) -> dict[str, Any]:
        """What is stated of the sampler, as keys of `SamplerSettings`."""
        return self.model_dump(exclude_none=True, include=set(SAMPLING))


@cache
def load_known_controls() -> dict[str, KnownControl]:
    """All published control modules whose settings are known, by hub id."""
    text = (files("lepbench.methods") / "known.yaml").read_text(encoding="utf-8")
    document = parse_yaml(text)
    return {
        name: parse_config(entry, KnownControl, f"known.yaml: {name}") for name, entry in document.items()
    }


def find_known_control(control: object, preset: object = None) -> KnownControl | None:
    """The settings of a control module, or of the one that `preset` names; None where it is not known.

    Raises:
        LepbenchError: no module that `preset` names is known.
    """
    known = load_known_controls()
    if preset is None:
        return known.get(str(control))
    if str(preset) not in known:
        raise LepbenchError(f"unknown control preset {str(preset)!r}", suggest_name(str(preset), known))
    return known[str(preset)]


def require_preset(control: str, preset: str, module: str, family: str) -> None:
    """Check that a preset is of the same class, and for the same family of backbones, as a control module.

    Raises:
        LepbenchError: it is not.
    """
    known = load_known_controls()[preset]
    if (known.module, known.family) != (module, family):
        raise LepbenchError(
            f"{control} is a {module} for {family}, and the preset {preset!r} is of a {known.module} for "
            f"{known.family}",
            "give the preset of the module that the folder is a copy of, or its polarity, channels and range",
        )


def describe_unknown_picture(control: str, missing: Sequence[str]) -> str:
    """That the control picture of a checkpoint is not known, and which keys say what it is."""
    known = list(load_known_controls())
    close = difflib.get_close_matches(control, known, n=1, cutoff=0.8)
    instead = f"did you mean {close[0]!r}? Else give" if close else "give"
    return (
        f"{control!r} is no checkpoint whose control picture is known: {instead} {', '.join(missing)} "
        "(polarity: white-on-black or black-on-white, channels: 1 or 3, range: [0, 1] or [-1, 1]), "
        "or the preset of one"
    )
