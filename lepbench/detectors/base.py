"""Base classes of edge detectors: configurations that map images to edge maps."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationInfo
from torch import Tensor

from lepbench.config import Config, select_config
from lepbench.errors import LepbenchError
from lepbench.images import Pixels, to_tensor
from lepbench.needs import Need
from lepbench.registry import Registry

CACHED = 2**18
"""Pixels per call, few enough for a processor's cache."""

FILE = {"weights", "sha256"}
"""Settings that name a file; the identity has the hash of its content instead of its path."""


class Detector(Config, ABC):
    """Images to edge maps. A subclass narrows `name` to its own and adds its settings.

    Attributes:
        version: increased whenever the same settings would give another map.
        checked: what its maps were compared with, and what could not be checked.
        binary: true if the method gives binary maps; false if it gives strengths (`SoftDetector`).
    """

    version: ClassVar[str]
    checked: ClassVar[str] = "not stated"
    binary: ClassVar[bool] = True

    name: str

    @classmethod
    def __pydantic_init_subclass__(cls, **keywords: Any) -> None:
        """Refuse a class that lacks what every map is recorded with.

        Raises:
            TypeError: it has no `version`.
        """
        super().__pydantic_init_subclass__(**keywords)
        if not inspect.isabstract(cls) and not hasattr(cls, "version"):
            raise TypeError(f"detector class {cls.__name__} lacks 'version'")

    @abstractmethod
    def __call__(self, images: Tensor) -> Tensor:
        """Edge maps of pictures.

        Args:
            images: float [B, 3, H, W] in [0, 1].

        Returns:
            bool [B, H, W] on the same device, true on an edge.
        """

    def of_pixels(self, pixels: Pixels, device: str | torch.device = "cpu") -> NDArray[np.bool_]:
        """Edge maps of 8-bit images, computed on `device`: uint8 [B, H, W, 3] to bool [B, H, W]."""
        edges = np.empty(pixels.shape[:3], dtype=np.bool_)
        # Small images share the overhead of a call; large ones alone fit the processor's cache better.
        step = count_cached_pictures(*pixels.shape[1:3])
        for start in range(0, len(pixels), step):
            part = slice(start, start + step)
            edges[part] = apply_detector(self, to_tensor(pixels[part]).to(device)).cpu().numpy()
        return edges

    def settings(self) -> dict[str, Any]:
        """Every setting that affects a map, as a configuration calls it; no local paths."""
        names = {key: field.alias or key for key, field in type(self).model_fields.items()}
        return {names[key]: value for key, value in self if key != "name"}

    def list_needs(self) -> list[Need]:
        """What it needs from elsewhere; nothing is fetched to say so."""
        return []

    @classmethod
    def missing(cls) -> str:
        """Missing requirements of the default settings, in a few words; empty if none."""
        return ""


class SoftDetector(Detector):
    """A detector that gives an edge strength per pixel; strengths above its threshold are edges."""

    binary: ClassVar[bool] = False

    threshold: float = Field(ge=0, lt=1)

    @abstractmethod
    def soft(self, images: Tensor) -> Tensor:
        """Edge strength, float32 [B, H, W] in [0, 1], of float [B, 3, H, W] in [0, 1]."""

    def __call__(self, images: Tensor) -> Tensor:
        return self.soft(images) > self.threshold


DETECTORS: Registry[type[Detector]] = Registry("detector", Detector)


def select_detector(config: str | dict[str, Any] | Detector) -> Detector:
    """The detector given by a name, or a mapping with `name` and settings.

    Raises:
        LepbenchError: no such detector, a key it does not know, or a value it does not take.
    """
    return config if isinstance(config, Detector) else select_config(config, DETECTORS)


def select_field(config: str | dict[str, Any] | Detector, info: ValidationInfo) -> Detector:
    """`select_detector` for a key of a larger configuration, from which errors name places."""
    return config if isinstance(config, Detector) else select_config(config, DETECTORS, info.field_name)


# A field of this type takes any registered detector in a larger configuration, and writes its settings back.
AnyDetector = Annotated[SerializeAsAny[Detector], BeforeValidator(select_field)]


def apply_detector(detector: Detector, images: Tensor, size: tuple[int, int] | None = None) -> Tensor:
    """The detector's edge maps, bool [B, H, W], of images float [B, 3, H, W] in [0, 1].

    Args:
        size: height and width of the maps; those of the images unless given.

    Raises:
        LepbenchError: the maps have another type or shape, as those of a plug-in may.
    """
    edges = detector(images)
    wanted = (len(images), *(size or images.shape[-2:]))
    if not isinstance(edges, Tensor) or edges.dtype != torch.bool or tuple(edges.shape) != wanted:
        found = f"{edges.dtype} {list(edges.shape)}" if isinstance(edges, Tensor) else type(edges).__name__
        raise LepbenchError(
            f"detector {detector.name!r} gave {found}, not bool {list(wanted)}", "correct its __call__"
        )
    return edges


def apply_soft_detector(detector: SoftDetector, images: Tensor) -> Tensor:
    """The detector's edge strengths of pictures, float [B, H, W] in [0, 1], of float [B, 3, H, W] in [0, 1].

    Raises:
        LepbenchError: it gives no such maps, as one from outside may.
    """
    strengths = detector.soft(images)
    wanted = (len(images), *images.shape[-2:])
    if not isinstance(strengths, Tensor) or tuple(strengths.shape) != wanted:
        found = list(strengths.shape) if isinstance(strengths, Tensor) else type(strengths).__name__
        raise LepbenchError(
            f"detector {detector.name!r} gave {found}, not {list(wanted)}", "correct its soft()"
        )
    if not bool(((strengths >= 0) & (strengths <= 1)).all()):
        raise LepbenchError(f"detector {detector.name!r} gave values outside [0, 1]", "correct its soft()")
    return strengths


def identify_detector(detector: Detector) -> str:
    """Name, version and every setting in one line, such as `canny@1(low=0.1,high=0.2)`."""
    settings = ",".join(f"{key}={value}" for key, value in detector.settings().items())
    return f"{detector.name}@{detector.version}({settings})"


def count_cached_pictures(height: int, width: int) -> int:
    """Number of images of a size per call, at least one."""
    return max(1, CACHED // max(1, height * width))


def check_images(images: Tensor) -> None:
    """Refuse what is not a float batch of RGB pictures.

    Raises:
        ValueError: the tensor is not floating point [B, 3, H, W].
    """
    if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
        raise ValueError(f"expected float [B, 3, H, W], got {images.dtype} {list(images.shape)}")
