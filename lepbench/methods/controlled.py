"""Any control pipeline of diffusers: a control module beside the backbone, by folder or hub id."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Self

import torch
from pydantic import Field, FiniteFloat, SerializerFunctionWrapHandler, model_serializer, model_validator
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.backbones.cost import count_flops, count_passes
from lepbench.backbones.resolve import check_model
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings
from lepbench.methods.base import METHODS, Method, MethodConfig, Request, draw_noise, stack_sketches
from lepbench.methods.control_module import ControlModule, load_control
from lepbench.methods.control_needs import list_control_needs
from lepbench.methods.control_pipeline import draw_controlled, list_options
from lepbench.methods.control_place import require_module, require_name
from lepbench.methods.cost import PictureFlops
from lepbench.methods.known_controls import (
    PICTURE,
    Polarity,
    describe_unknown_picture,
    find_known_control,
    require_preset,
)
from lepbench.needs import Need

COUNTED_STEPS = (2, 3)
"""Steps of the two calls whose difference is the operations of a pass."""


@METHODS.register("controlled")
class ControlledConfig(MethodConfig):
    """The control module, its picture and its settings; what is not given is that of a known module."""

    name: Literal["controlled"] = "controlled"
    control: str
    """A folder or hub id of a control module that diffusers saved."""
    preset: str | None = None
    """The hub id of a known control module of which the folder is a copy.
    Its settings are filled in on reading, and a record has those and not the preset."""
    polarity: Polarity
    """Strokes and ground of the control picture."""
    channels: Literal[1, 3]
    """Of the control picture, all equal."""
    range: tuple[FiniteFloat, FiniteFloat]
    """The values of black and of white."""
    scale: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    """What the module's outputs are multiplied by."""
    mode: int | None = Field(default=None, ge=0)
    """The kind of control, for a module of several kinds."""
    start: float = Field(default=0.0, ge=0, le=1)
    """The share of the steps before which the module is not in effect."""
    end: float = Field(default=1.0, ge=0, le=1)
    """The share of the steps after which it is not."""
    licence: str | None = None
    """Of the module's weights."""

    @model_validator(mode="before")
    @classmethod
    def _resolved(cls, given: Any) -> Any:
        """Merge the settings of a known module, overridden by the given ones."""
        if not isinstance(given, dict) or "control" not in given:
            return given
        control = given["control"]
        try:
            require_name(control)
            known = find_known_control(control, given.get("preset"))
            settings = {**({} if known is None else known.method()), **given}
            if missing := [key for key in PICTURE if key not in settings]:
                # What is no control module is not to be given settings of one.
                require_module(control)
                raise ValueError(describe_unknown_picture(control, missing))
        except LepbenchError as error:
            raise ValueError(str(error)) from None
        return settings

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        black, white = self.range
        if black >= white:
            raise ValueError(f"range {list(self.range)} does not rise from black to white: invert 'polarity'")
        if self.start >= self.end:
            raise ValueError(f"start {self.start} is not before end {self.end}")
        return self

    @model_serializer(mode="wrap")
    def _serialise(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        settings: dict[str, Any] = plain(self)
        settings.pop("preset", None)
        return settings

    @classmethod
    def imply_sampler(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        known = find_known_control(settings.get("control"), settings.get("preset"))
        return {} if known is None else known.sampler()

    def check_files(self) -> None:
        check_model(self.control)

    def list_needs(self) -> list[Need]:
        return list_control_needs(self.control)

    def build(self, backbone: Backbone | None, sampler: SamplerSettings) -> Controlled:
        assert backbone is not None
        for key in ("guidance_stop", "guidance_every"):
            if getattr(sampler, key) != SamplerSettings.model_fields[key].default:
                raise LepbenchError(
                    f"sampler.{key} is set, and 'controlled' draws by the loop of diffusers, which has none",
                    f"remove {key!r}",
                )
        module = load_control(self.control, backbone)
        if self.preset is not None:
            require_preset(self.control, self.preset, type(module.network).__name__, backbone.family.name)
        return Controlled(backbone, sampler, module, self, options=self._name_options(module))

    def _name_options(self, module: ControlModule) -> dict[str, Any]:
        """The settings as arguments of the pipeline's call.

        Raises:
            LepbenchError: they do not fit the module.
        """
        module.require_channels(self.control, self.channels)
        return list_options(
            self.control, module, scale=self.scale, mode=self.mode, start=self.start, end=self.end
        )


@dataclass(frozen=True)
class Controlled(Method):
    """Draws by a control pipeline of diffusers, made of the backbone's components and a control module.

    Each picture is drawn from its own noise. What the pipeline draws beside it, as steps or the encoded
    control picture need, comes from the same generator.
    """

    backbone: Backbone
    sampler: SamplerSettings
    module: ControlModule
    config: ControlledConfig
    options: Mapping[str, Any]

    @property
    def weights(self) -> dict[str, str]:
        return {f"control/{name}": digest for name, digest in self.module.files_sha256.items()}

    @property
    def notes(self) -> tuple[str, ...]:
        black, white = self.config.range
        return (
            f"{self.module.kind.pipeline} of diffusers drew from a sketch {self.config.polarity}, black "
            f"{black:g} and white {white:g}; no safety checker and no watermark was run",
        )

    @property
    def counted(self) -> Backbone:
        """The backbone, or the control module in its denoiser's place."""
        if self.module.kind.slot != self.backbone.family.denoiser:
            return self.backbone
        return dataclasses.replace(self.backbone, denoiser=self.module.network)

    def check_size(self, size: tuple[int, int]) -> None:
        self.module.require_size(self.config.control, size)

    def draw(self, requests: Sequence[Request]) -> Tensor:
        return self._draw(requests, self.sampler)

    def _draw(self, requests: Sequence[Request], sampler: SamplerSettings) -> Tensor:
        noise, generators = draw_noise(self.backbone, requests)
        pictures = make_control_pictures(stack_sketches(requests), self.config)
        latents = draw_controlled(
            self.backbone,
            self.module,
            sampler,
            requests,
            pictures=pictures,
            noise=noise,
            generators=generators,
            options=self.options,
        )
        return self.backbone.decode_latents(latents)

    def measure_flops(self, request: Request) -> PictureFlops:
        """The module's share is in a pass where it runs in every step, and in `once` otherwise."""
        flops, passes = [], []
        for steps in COUNTED_STEPS:
            sampler = self.sampler.model_copy(update={"steps": steps})
            with count_passes(self.counted.denoiser) as counted:
                flops.append(count_flops(partial(self._draw, [request], sampler)))
            passes.append(counted.plain)
        plain = (flops[1] - flops[0]) // (passes[1] - passes[0])
        return PictureFlops(plain, 0, flops[0] - plain * passes[0])


def make_control_pictures(sketches: Tensor, config: ControlledConfig) -> Tensor:
    """The control pictures, float32 `[B, channels, H, W]`, of sketches bool `[B, H, W]`, true on a stroke."""
    black, white = config.range
    bright = sketches if config.polarity == "white-on-black" else ~sketches
    grey = torch.where(bright, white, black).to(torch.float32)
    return grey.unsqueeze(1).repeat(1, config.channels, 1, 1)
