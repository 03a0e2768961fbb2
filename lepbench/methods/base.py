"""Base classes of methods, which generate images for requests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BeforeValidator, SerializeAsAny
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.config import Config, select_config
from lepbench.guidance import Guidance, SamplerSettings, sample
from lepbench.guidance.picture_size import describe_far_size
from lepbench.guidance.readout import Readout
from lepbench.guidance.sampler import SampledLatents
from lepbench.guidance.schedulers import imply_sampler, make_scheduler, require_scale
from lepbench.guidance.start import Start
from lepbench.methods.cost import PictureFlops
from lepbench.methods.reference import ReferenceModel
from lepbench.needs import Need
from lepbench.progress import Progress, ignore_progress
from lepbench.registry import Registry
from lepbench.seeds import make_generator


@dataclass(frozen=True)
class Request:
    """A request for one image; the image depends on nothing else.

    Attributes:
        name: what its file is called.
        prompt: its caption.
        sketch: bool [H, W], true on a stroke; the picture has this size.
        seed: of its noise.
        weights: float [H, W] from 0 up, how much the sketch matters at each pixel; None: the same.
        negative_prompt: its own, instead of the sampler's; empty for none, None for the sampler's.
    """

    name: str
    prompt: str
    sketch: NDArray[np.bool_]
    seed: int
    weights: NDArray[np.floating] | None = None
    negative_prompt: str | None = None


class DrawnImages(NamedTuple):
    """Images of requests, and what was seen on the way.

    Attributes:
        pictures: float [B, 3, H, W] in [0, 1], or uint8.
        edges: gives those that were predicted at the last guided step, float [B, 3, H, W] in [0, 1], 1 on a
            line; None where none are.
    """

    pictures: Tensor
    edges: Callable[[], Tensor] | None


class Method(ABC):
    """A method that generates an image from a prompt and a sketch."""

    @property
    def weights(self) -> dict[str, str]:
        """SHA-256 of every file that affects the images, except the backbone's, by name."""
        return {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the images should know of how they are drawn, a line each."""
        return ()

    @property
    def counted(self) -> Backbone | None:
        """The backbone through whose denoiser the images pass; None if other code draws them."""
        return None

    def measure_flops(self, request: Request) -> PictureFlops | None:
        """Count the operations of a pass of each kind at a request's size; no random number is drawn.

        Its time is at most that of one image of twenty steps. None where this is not known.
        """
        return None

    def restrict(self, names: Collection[str], item_ids: Collection[str]) -> Method:
        """This method for one run: one whose `weights` are of no more than these requests depend on.

        Args:
            names: of all requests.
            item_ids: of every item of the suite, whether a request asks for it or not.
        """
        return self

    def check(self, names: Collection[str]) -> None:
        """Check in advance that all images can be generated.

        Args:
            names: of all requests.

        Raises:
            LepbenchError: what is missing.
        """
        return

    def check_size(self, size: tuple[int, int]) -> None:
        """Check in advance that images of `size` px, height and width, can be generated.

        Raises:
            LepbenchError: they cannot.
        """
        return

    @abstractmethod
    def draw(self, requests: Sequence[Request]) -> Tensor:
        """Generate one image per request, all of one size: float [B, 3, H, W] in [0, 1], or uint8."""

    def draw_with_edges(
        self, requests: Sequence[Request], progress: Progress = ignore_progress
    ) -> DrawnImages:
        """The images of `draw`, and the edges that the method predicted while it drew them.

        Args:
            progress: called with (stage, done, total) after every step, if the method tells of them; what
                it raises ends the drawing.
        """
        return DrawnImages(self.draw(requests), None)


def stack_sketches(requests: Sequence[Request]) -> Tensor:
    """Their sketches, bool [B, H, W]."""
    return torch.from_numpy(np.stack([request.sketch for request in requests]))


class MethodConfig(Config, ABC):
    """Base of the methods' configurations. A subclass narrows `name` to its own and adds its settings."""

    name: str

    needs_backbone: ClassVar[bool] = True
    """False if the images were generated elsewhere; reference rows then need a `reference`."""

    @property
    def reference(self) -> ReferenceModel | None:
        """What draws the reference rows of a method that has no backbone; None where nothing does."""
        return None

    @classmethod
    def imply_sampler(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Keys of `SamplerSettings` that hold for a method of these settings unless others are given."""
        return {}

    def check_files(self) -> None:
        """Check what can be checked of its files before anything is loaded; nothing is fetched.

        Raises:
            LepbenchError: what is missing.
        """
        return

    def list_needs(self) -> list[Need]:
        """What it needs from elsewhere beside the backbone; nothing is fetched to say so."""
        return []

    @abstractmethod
    def build(self, backbone: Backbone | None, sampler: SamplerSettings) -> Method:
        """Load the method; `backbone` is given if `needs_backbone`.

        Raises:
            LepbenchError: a file is missing, or does not fit the backbone.
        """


METHODS: Registry[type[MethodConfig]] = Registry("method", MethodConfig)


def select_method(config: str | dict[str, Any] | MethodConfig) -> MethodConfig:
    """The method given by a name, or a mapping with `name` and settings.

    Raises:
        LepbenchError: no such method, a key it does not know, or a value it does not take.
    """
    return config if isinstance(config, MethodConfig) else select_config(config, METHODS, "method")


# A field of this type takes any registered method in a larger configuration, and writes its settings back.
AnyMethod = Annotated[SerializeAsAny[MethodConfig], BeforeValidator(select_method)]


def check_drawing(backbone: Backbone, sampler: SamplerSettings, size: tuple[int, int]) -> None:
    """Check in advance that a backbone draws pictures of `size` px, height and width, by this sampler.

    Raises:
        LepbenchError: the size, the scheduler, the guidance scale or the negative prompt does not fit.
    """
    _, height, width = backbone.latent_shape(size)
    make_scheduler(
        sampler.scheduler, backbone, sampler.steps, (height, width), spacing=sampler.timestep_spacing
    )
    require_scale(backbone, sampler.guidance_scale)
    backbone.require_negatives(sampler.guidance_scale, [sampler.negative_prompt])


def describe_drawing(backbone: Backbone, sampler: SamplerSettings, size: tuple[int, int]) -> tuple[str, ...]:
    """Notes for the reader of a record: how a backbone drew at `size` (height, width), px."""
    implied = imply_sampler(backbone).get("scheduler", sampler.scheduler)
    far = describe_far_size(backbone, size)
    if implied == sampler.scheduler:
        return (*backbone.notes, *far)
    drawn = f"sampled by {sampler.scheduler} in {sampler.steps} steps, though it was trained for {implied}"
    return (*backbone.notes, *far, drawn)


def choose_negatives(requests: Sequence[Request], sampler: SamplerSettings) -> list[str | None]:
    """Each request's negative prompt, or else the sampler's; None where it is empty."""
    usual = sampler.negative_prompt
    own = (request.negative_prompt for request in requests)
    return [(usual if text is None else text) or None for text in own]


def draw_noise(backbone: Backbone, requests: Sequence[Request]) -> tuple[Tensor, list[torch.Generator]]:
    """Each request's own noise `[B, C, h, w]` on the CPU, and its generator, from which more can be drawn."""
    height, width = requests[0].sketch.shape
    shape = backbone.latent_shape((height, width))
    generators = [make_generator(request.seed) for request in requests]
    return torch.stack([torch.randn(shape, generator=g) for g in generators]), generators


def sample_requests(
    backbone: Backbone,
    sampler: SamplerSettings,
    requests: Sequence[Request],
    *,
    guidance: Guidance | None = None,
    start: Start | None = None,
    readout: Readout | None = None,
    progress: Progress = ignore_progress,
) -> SampledLatents:
    """Latents of images of the sketches' size, each from its own seed's noise.

    Args:
        start: pictures that sampling starts from, one a request; None for noise alone.
        readout: an optimiser of the latents, instead of `guidance`.
        progress: called with (stage, done, total) after every denoising step; what it raises ends it.
    """
    noise, generators = draw_noise(backbone, requests)
    return sample(
        backbone,
        [request.prompt for request in requests],
        noise,
        sampler,
        guidance=guidance,
        generators=generators,
        progress=progress,
        negatives=choose_negatives(requests, sampler),
        start=start,
        readout=readout,
    )


def draw_pictures(
    backbone: Backbone,
    sampler: SamplerSettings,
    requests: Sequence[Request],
    guidance: Guidance | None = None,
    start: Start | None = None,
    readout: Readout | None = None,
) -> Tensor:
    """Images of `sample_requests`, float32 [B, 3, H, W] in [0, 1]."""
    drawn = sample_requests(backbone, sampler, requests, guidance=guidance, start=start, readout=readout)
    return backbone.decode_latents(drawn.latents)
