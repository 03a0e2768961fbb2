"""Draws what the page asks for: models loaded once, a picture at a time, given up where it is out of date."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field

from lepbench.backbones import Backbone
from lepbench.backbones.assemble import load_backbone
from lepbench.backbones.load import choose_device
from lepbench.config import Config, parse_config
from lepbench.drawing.drawing import Lines, PageDrawing, rasterise_drawing
from lepbench.errors import LepbenchError
from lepbench.guidance.presets import PRESETS
from lepbench.guidance.prompts import read_prompts
from lepbench.images import Pixels, to_pixels
from lepbench.methods import Method, ModelConfig, Request
from lepbench.methods.base import sample_requests
from lepbench.methods.steered import SteeredConfig, SteeredMethod
from lepbench.mini.words import describe_unknown_words

Quality = Literal["live", "better"]
QUALITIES: tuple[Quality, ...] = ("live", "better")
LIVE = "turbo"
"""The preset of pictures that follow the pen."""
MOST_PICTURES = 8
MOST_BACKBONES, MOST_METHODS = 2, 8
"""That are held: what draws live and what draws better."""


class Settings(Config):
    """What the page lets one choose.

    Attributes:
        model: a name of those that are offered.
        preset: of pictures that are not live; the model's own settings unless given.
        scale, stop: of a method that guides; the preset's unless given.
        seed: of the first picture; the next one's is one more.
        count: of pictures.
    """

    model: str = Field(max_length=100)
    preset: str | None = Field(default=None, max_length=100)
    scale: float | None = Field(default=None, ge=0, le=10)
    stop: float | None = Field(default=None, ge=0, le=1)
    seed: int = Field(default=0, ge=0, le=2**32 - 1)
    count: int = Field(default=1, ge=1, le=MOST_PICTURES)


@dataclass(frozen=True)
class Shown:
    """Pictures of a drawing.

    Attributes:
        pictures: uint8 [H, W, 3] each, by seed.
        edges: predicted at the last guided step of the first, uint8 [H, W, 3], dark on light; None where
            none are.
        seconds: that drawing them took.
        notes: what one should know of them, a line each.
    """

    pictures: dict[int, Pixels]
    edges: Pixels | None
    seconds: float
    notes: tuple[str, ...]


class Cancelled(Exception):  # noqa: N818
    """Raised within a picture that nobody waits for any more."""


Proceed = Callable[[int, int], None]
"""Called with (steps done, steps in all) of a picture; raises `Cancelled` to give it up."""


class Artist:
    """Models by name, of which two backbones and some methods are held at a time.

    Args:
        models: in the order in which they are offered.
        live: what draws live instead of a model, by its name.
        device: cpu, cuda or auto.
    """

    def __init__(
        self,
        models: Sequence[ModelConfig],
        live: Mapping[str, ModelConfig] = MappingProxyType({}),
        device: str = "auto",
    ) -> None:
        self.models = {model.name: model for model in models}
        self.live = live
        self.device = str(choose_device(device))
        self._backbones: dict[str, Backbone] = {}
        self._methods: dict[str, Method] = {}

    def draw(self, drawing: PageDrawing, settings: Settings, quality: Quality, proceed: Proceed) -> Shown:
        """Draw pictures; of live ones a single one, at the preset `LIVE` where the method can be steered.

        Raises:
            LepbenchError: a name is not known, or nothing is drawn or said.
            Cancelled: `proceed` gave up.
        """
        begun = time.monotonic()
        model = self.choose_model(settings, quality)
        [prompt] = read_prompts(drawing.prompt)
        backbone = self._find_backbone(model)
        lines = rasterise_drawing(drawing, backbone.choose_size(None, None))
        if not lines.sketch.any():
            raise LepbenchError("nothing is drawn yet", "draw a line")
        method = self._find_method(model, backbone)
        seeds = range(settings.seed, settings.seed + (1 if quality == "live" else settings.count))
        found = {seed: draw_lines(method, prompt, lines, seed, proceed=proceed) for seed in seeds}
        notes = tuple(describe_unknown_words(backbone.name, [prompt]))
        pictures = {seed: picture for seed, (picture, _) in found.items()}
        return Shown(pictures, found[seeds[0]][1], time.monotonic() - begun, notes)

    def choose_model(self, settings: Settings, quality: Quality) -> ModelConfig:
        """The configuration that draws, the page's choices in place of its own settings.

        Raises:
            LepbenchError: the model or preset is not known, or a setting is none of it.
        """
        if settings.model not in self.models:
            raise LepbenchError(f"no model {settings.model!r} here", f"choose of: {', '.join(self.models)}")
        if quality == "live" and settings.model in self.live:
            return self.live[settings.model]
        model = self.models[settings.model]
        preset = LIVE if quality == "live" else settings.preset
        if not isinstance(model.method, SteeredConfig):
            return model
        method: dict[str, Any] = model.method.model_dump(mode="json")
        sampler = model.sampler.model_dump(mode="json")
        if preset is not None:
            chosen = PRESETS.get(preset)
            method |= chosen.steering()
            sampler = chosen.sampler({"guidance_scale": model.sampler.guidance_scale})
        method |= {key: value for key in ("scale", "stop") if (value := getattr(settings, key)) is not None}
        given = model.model_dump(mode="json") | {"method": method, "sampler": sampler}
        return parse_config(given, ModelConfig, "")

    def _find_backbone(self, model: ModelConfig) -> Backbone:
        assert model.backbone is not None
        key = f"{model.backbone} {model.precision}"
        if key not in self._backbones:
            if len(self._backbones) >= MOST_BACKBONES:
                self._backbones.clear()
                self._methods.clear()
            self._backbones[key] = load_backbone(model.backbone, self.device, model.precision)
        return self._backbones[key]

    def _find_method(self, model: ModelConfig, backbone: Backbone) -> Method:
        key = model.model_dump_json()
        if key not in self._methods:
            if len(self._methods) >= MOST_METHODS:
                self._methods.pop(next(iter(self._methods)))
            self._methods[key] = model.method.build(backbone, model.sampler)
        return self._methods[key]


def draw_lines(
    method: Method, prompt: str, lines: Lines, seed: int, *, proceed: Proceed
) -> tuple[Pixels, Pixels | None]:
    """A picture uint8 [H, W, 3], and the predicted edges of a method that guides."""
    request = Request(f"{seed}.png", prompt, lines.sketch, seed, weights=lines.weights)
    if not isinstance(method, SteeredMethod):
        proceed(0, 1)
        return to_pixels(method.draw([request]))[0], None
    sampled = sample_requests(
        method.backbone,
        method.sampler,
        [request],
        guidance=method.guide([request]),
        progress=lambda stage, done, total: proceed(done, total),
    )
    picture = to_pixels(method.backbone.decode_latents(sampled.latents))[0]
    edges = None if sampled.edges is None else method.backbone.decode_latents(sampled.edges)
    return picture, None if edges is None else to_pixels(1 - edges)[0]
