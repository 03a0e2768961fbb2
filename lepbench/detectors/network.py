"""Network detectors: frozen, float32, one image at a time, on the device of the images."""

from __future__ import annotations

from abc import abstractmethod
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from lepbench.config import Hash
from lepbench.detectors.base import FILE, SoftDetector, check_images
from lepbench.detectors.needs import ANNOTATORS, DetectorWeights
from lepbench.detectors.weights import SAFE, WeightsFile, find_prefetched, local, read
from lepbench.errors import LepbenchError
from lepbench.needs import Need, Package, need_file


class NetworkDetector(SoftDetector):
    """A soft detector with a network. A subclass defines how it is built and called.

    Settings: `weights`, a file: safetensors, or one that `torch.load` reads as tensors only, with
    its `sha256`; by default the known weights that `lepbench prefetch` put into the cache. `sha256` of the
    file, checked whenever it is given.

    Images are processed one by one, since the last bits of a network's output depend on the batch.

    Attributes:
        multiple: images are padded at the right and lower border to sides that are multiples of this.
        least: and to sides of at least this, in px.
        package: a required additional package; None if there is none.
    """

    multiple: ClassVar[int] = 1
    least: ClassVar[int] = 1
    package: ClassVar[str | None] = None

    weights: Path | None = None
    sha256: Hash | None = None
    threshold: float = Field(default=0.5, ge=0, lt=1)

    @property
    def published(self) -> str:
        """Name of the known weights that these settings call for."""
        return self.name

    @classmethod
    def missing(cls) -> str:
        if cls.package is not None and find_spec(cls.package) is None:
            return f"package {cls.package}"
        try:
            cls.model_validate({}).find_weights()
        except LepbenchError:
            return "weights"
        return ""

    def list_needs(self) -> list[Need]:
        what = f"detector {self.name!r}"
        package = [] if self.package is None else [Package(what, self.package, ANNOTATORS)]
        if self.weights is not None:
            return [*package, *need_file(what, self.weights)]
        return [*package, DetectorWeights(what, self.published, self.sha256)]

    @classmethod
    @abstractmethod
    def build(cls) -> nn.Module:
        """The network without its weights.

        Raises:
            LepbenchError: a package is missing.
        """

    @abstractmethod
    def grade(self, network: nn.Module, images: Tensor) -> Tensor:
        """Edge strength in [0, 1] of [B, 3, H, W] in [0, 1] whose sides fit `multiple` and `least`.

        Returns:
            [B, H, W]; what lies beyond the sides of the images is cut off.
        """

    @model_validator(mode="after")
    def _pinned(self) -> NetworkDetector:
        if self.weights is not None and self.weights.suffix != SAFE and self.sha256 is None:
            raise ValueError(f"weights that are no {SAFE} file are read only if their sha256 is given")
        return self

    def find_weights(self) -> WeightsFile:
        """The file of weights.

        Raises:
            LepbenchError: it is missing or has another hash than it must.
        """
        if self.weights is not None:
            return local(self.weights, self.sha256)
        found = find_prefetched(self.published)
        return found if self.sha256 is None else local(found.path, self.sha256)

    def settings(self) -> dict[str, Any]:
        """Every setting that decides a map; the weights by their hash, wherever they lie.

        Raises:
            LepbenchError: the weights are missing or have another hash than they must.
        """
        others = {k: v for k, v in super().settings().items() if k not in FILE}
        return others | {"weights": f"sha256:{self.find_weights().sha256}"}

    @torch.no_grad()
    def soft(self, images: Tensor) -> Tensor:
        check_images(images)
        network = _network(type(self), self.find_weights(), str(images.device))
        height, width = images.shape[-2:]
        strength = torch.empty((len(images), height, width), device=images.device)
        # Networks round alike on one device: no TF32, and no choice of algorithm by the clock.
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            for at, out in enumerate(strength):
                image = continue_border(images[at : at + 1].float(), self.multiple, self.least)
                # A fresh copy: strides affect the choice of algorithm; these are the fastest.
                image = image.clone(memory_format=torch.channels_last)
                out.copy_(self.grade(network, image)[0, :height, :width])
        return strength


def continue_border(images: Tensor, multiple: int, least: int = 1) -> Tensor:
    """[B, C, H, W] with its lower and right border repeated: sides are multiples, and at least `least`."""
    below, right = (-(-max(side, least) // multiple) * multiple - side for side in images.shape[-2:])
    return F.pad(images, (0, right, 0, below), mode="replicate")


@lru_cache(maxsize=8)
def _network(kind: type[NetworkDetector], file: WeightsFile, device: str) -> nn.Module:
    """A detector's network with its weights, frozen; cached per device."""
    weights = read(file)
    with torch.random.fork_rng(devices=[]):  # its initial weights are random
        network = kind.build()
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        line = str(error).split("\n")[1].strip() if "\n" in str(error) else str(error)
        raise LepbenchError(
            f"{file.path} holds no weights of this network: {line[:200]}",
            "give the weights of this detector as 'weights'",
        ) from error
    return network.requires_grad_(False).eval().float().to(device)
