"""What a method is: requests in, pictures out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BeforeValidator, SerializeAsAny
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.config import Config, select_config
from lepbench.guidance import Guidance, SamplerSettings, sample
from lepbench.registry import Registry
from lepbench.seeds import make_generator


@dataclass(frozen=True)
class Request:
    """One picture asked for, which depends on nothing else.

    Attributes:
        name: what its file is called.
        prompt: its caption.
        sketch: bool [H, W], true on a stroke; the picture has this size.
        seed: of its noise.
        weights: float [H, W] from 0 up, how much the sketch matters at each pixel; None: the same.
    """

    name: str
    prompt: str
    sketch: NDArray[np.bool_]
    seed: int
    weights: NDArray[np.floating] | None = None


class Method(ABC):
    """A way to draw a picture of a prompt along a sketch."""

    @property
    def weights(self) -> dict[str, str]:
        """SHA-256 of every file the pictures depend on beside the backbone's, by name."""
        return {}

    def check(self, names: Collection[str]) -> None:
        """Refuse to begin where it is plain that a picture cannot be drawn.

        Args:
            names: of all that will be asked for.

        Raises:
            LepbenchError: what is missing.
        """
        return

    @abstractmethod
    def draw(self, requests: Sequence[Request]) -> Tensor:
        """Draw one picture a request, all of one size: float [B, 3, H, W] in [0, 1]."""


def stack_sketches(requests: Sequence[Request]) -> Tensor:
    """Their sketches, bool [B, H, W]."""
    return torch.from_numpy(np.stack([request.sketch for request in requests]))


class MethodConfig(Config, ABC):
    """Base of the methods' configurations. A subclass narrows `name` to its own and adds its settings."""

    name: str

    needs_backbone: ClassVar[bool] = True
    """False where the pictures come from elsewhere: there is then no backbone to compare with."""

    @abstractmethod
    def build(self, backbone: Backbone | None, sampler: SamplerSettings) -> Method:
        """Load what the method needs; `backbone` is there if `needs_backbone`.

        Raises:
            LepbenchError: a file is missing, or does not fit the backbone.
        """


METHODS: Registry[type[MethodConfig]] = Registry("method")


def select_method(config: str | dict[str, Any] | MethodConfig) -> MethodConfig:
    """The method that a name, or a mapping with `name` and settings, asks for.

    Raises:
        LepbenchError: no such method, a key it does not know, or a value it does not take.
    """
    return config if isinstance(config, MethodConfig) else select_config(config, METHODS, ("method",))


# A field of this type takes any registered method in a larger configuration, and writes its settings back.
AnyMethod = Annotated[SerializeAsAny[MethodConfig], BeforeValidator(select_method)]


def draw_pictures(
    backbone: Backbone,
    sampler: SamplerSettings,
    requests: Sequence[Request],
    guidance: Guidance | None = None,
) -> Tensor:
    """Pictures of the sketches' size, float32 [B, 3, H, W] in [0, 1], each from its own seed's noise."""
    height, width = requests[0].sketch.shape
    shape = backbone.latent_shape((height, width))
    generators = [make_generator(request.seed) for request in requests]
    noise = torch.stack([torch.randn(shape, generator=g) for g in generators])
    prompts = [request.prompt for request in requests]
    drawn = sample(backbone, prompts, noise, sampler, guidance=guidance, generators=generators)
    return backbone.decode_latents(drawn.latents)
