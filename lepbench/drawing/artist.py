"""Draws what the page asks for: models loaded once, a picture at a time, given up where it is out of date."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from lepbench.backbones import Backbone
from lepbench.backbones.assemble import load_backbone
from lepbench.backbones.load import choose_device
from lepbench.config import Config, parse_config
from lepbench.drawing.drawing import PageDrawing, PenStroke, rasterise_drawing
from lepbench.errors import LepbenchError
from lepbench.guidance.prompts import read_prompts
from lepbench.images import Pixels
from lepbench.methods import Method, ModelConfig, Request
from lepbench.methods.drawn import draw_request
from lepbench.methods.steered import SteeredConfig
from lepbench.mini.words import describe_unknown_words

Quality = Literal["live", "rested", "better"]
"""While the pen moves; a single better picture once it rests; and those that were asked for."""
QUALITIES: tuple[Quality, ...] = ("live", "rested", "better")
LIVE = "turbo"
"""The preset of pictures that follow the pen."""
MOST_PICTURES = 8
MOST_BACKBONES, MOST_METHODS = 2, 8
"""That are held: what draws live and what draws better."""
FIRST = PageDrawing(prompt="a line", strokes=(PenStroke(points=((0.2, 0.5, 0.5), (0.8, 0.5, 0.5))),))
"""What is drawn before anybody asks."""


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
        self._loading = threading.Lock()

    def prepare(self) -> None:
        """Load what draws unless one chooses, and draw a line: the first picture then waits for nothing.

        Raises:
            LepbenchError: it cannot be loaded.
        """
        settings = Settings(model=next(iter(self.models)))
        for quality in ("live", "better"):
            model = self.choose_model(settings, quality)
            self._find_method(model, self._find_backbone(model))
        self.draw(FIRST, settings, "live", lambda done, total: None)

    def draw(self, drawing: PageDrawing, settings: Settings, quality: Quality, proceed: Proceed) -> Shown:
        """Draw pictures: several where they were asked for, live ones at `LIVE` if the method is steered.

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
        seeds = range(settings.seed, settings.seed + (settings.count if quality == "better" else 1))
        found = {}
        for seed in seeds:
            proceed(0, 1)
            request = Request(f"{seed}.png", prompt, lines.sketch, seed, weights=lines.weights)
            found[seed] = draw_request(method, request, lambda stage, done, total: proceed(done, total))
        notes = tuple(describe_unknown_words(backbone.name, [prompt]))
        pictures = {seed: drawn.picture for seed, drawn in found.items()}
        return Shown(pictures, found[seeds[0]].edges, time.monotonic() - begun, notes)

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
        if preset is not None:
            model = model.replace_preset(preset)
        own = {key: value for key in ("scale", "stop") if (value := getattr(settings, key)) is not None}
        if not own or not isinstance(model.method, SteeredConfig):
            return model
        given = model.model_dump(mode="json")
        return parse_config(given | {"method": given["method"] | own}, ModelConfig, "")

    def choose_size(self, model: ModelConfig) -> tuple[int, int]:
        """Height and width of a model's pictures, px; it is loaded for that.

        Raises:
            LepbenchError: it cannot be.
        """
        return self._find_backbone(model).choose_size(None, None)

    def _find_backbone(self, model: ModelConfig) -> Backbone:
        assert model.backbone is not None
        key = f"{model.backbone} {model.precision}"
        # What writes files asks, too, beside the thread that draws.
        with self._loading:
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
