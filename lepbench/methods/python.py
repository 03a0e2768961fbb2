"""A Python callable as a method: `(prompts, sketches, seeds, size) -> images`, by its module's name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings
from lepbench.images import to_rgb, to_tensor
from lepbench.methods.base import METHODS, Method, MethodConfig, Request
from lepbench.plugins import hash_code, import_plugin

PythonCallable = Callable[..., Any]
"""`(prompts, sketches, seeds, size) -> pictures`; see `PythonMethod`."""
ARGUMENTS = ("prompts", "sketches", "seeds", "size")


@METHODS.register("python")
class PythonConfig(MethodConfig):
    """The callable and its options. Its code runs only after it is trusted."""

    needs_backbone: ClassVar[bool] = False
    name: Literal["python"] = "python"
    target: str = Field(pattern=r"^[^:\s]+:[A-Za-z_][\w.]*$")
    """`package.module:factory`, or `file.py:factory`. The factory takes the options and returns a callable
    `(prompts, sketches, seeds, size) -> pictures`; a function of these parameters is the callable itself."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the factory, or of the function."""

    def build(self, backbone: Backbone | None, sampler: SamplerSettings) -> PythonMethod:
        place, _, name = self.target.rpartition(":")
        found: Any = import_plugin(place)
        for part in name.split("."):
            found = getattr(found, part, None)
        if not callable(found):
            raise LepbenchError(f"{self.target}: {place} has no callable {name!r}", "check 'method.target'")
        return PythonMethod(self.target, call_factory(found, self), hash_code(found))


@dataclass(frozen=True)
class PythonMethod(Method):
    """Draws by a callable from outside.

    The callable is called with B prompts, their sketches bool [B, H, W], true on a stroke, their seeds and
    the side of the pictures in px. It returns B pictures of that size: a tensor [B, 3, H, W] or an array
    [B, H, W, 3], float in [0, 1] or uint8, or a sequence of PIL images.

    Attributes:
        label: what to call it in an error.
        callable: draws.
        code: SHA-256 of the file that defines it, by name.
    """

    label: str
    callable: PythonCallable
    code: dict[str, str] = field(default_factory=dict)

    @property
    def weights(self) -> dict[str, str]:
        return self.code

    def draw(self, requests: Sequence[Request]) -> Tensor:
        sketches = np.stack([request.sketch for request in requests])
        drawn = self.callable(
            [request.prompt for request in requests],
            sketches,
            [request.seed for request in requests],
            int(sketches.shape[1]),
        )
        return read_pictures(drawn, len(requests), self.label)


def call_factory(found: Callable[..., Any], config: PythonConfig) -> PythonCallable:
    """The callable that draws: `found` itself where it has the parameters, or else what it returns.

    Raises:
        LepbenchError: it does not take the options, raises, or returns nothing that can be called.
    """
    try:
        parameters = list(inspect.signature(found).parameters)
    except (TypeError, ValueError):
        parameters = []
    if tuple(parameters[: len(ARGUMENTS)]) == ARGUMENTS:
        _check_options(found, config)
        return partial(found, **config.options)
    try:
        made = found(**config.options)
    except LepbenchError:
        raise
    except Exception as error:  # whatever its author left in it
        raise LepbenchError(
            f"{config.target} failed: {' '.join(f'{type(error).__name__}: {error}'.split())}",
            "check 'method.options'",
        ) from error
    if not callable(made):
        raise LepbenchError(
            f"{config.target} returned {type(made).__name__}, which cannot be called",
            f"return a callable ({', '.join(ARGUMENTS)}) -> pictures",
        )
    draw: PythonCallable = made
    return draw


def _check_options(found: Callable[..., Any], config: PythonConfig) -> None:
    try:
        inspect.signature(found).bind(*ARGUMENTS, **config.options)
    except TypeError as error:
        raise LepbenchError(f"{config.target}: {error}", "check 'method.options'") from error


def read_pictures(drawn: Any, count: int, label: str) -> Tensor:
    """What a callable returned as float [B, 3, H, W] in [0, 1]; see `PythonMethod`.

    Raises:
        LepbenchError: it is none of what is taken, or of another number; the message calls it `label`.
    """
    if isinstance(drawn, Tensor):
        pictures = drawn.detach().cpu()
    elif isinstance(drawn, np.ndarray):
        pictures = torch.from_numpy(np.ascontiguousarray(drawn))
        pictures = pictures.movedim(-1, 1) if pictures.ndim == 4 else pictures
    else:
        pictures = _read_sequence(drawn, label)
    if pictures.ndim != 4 or pictures.shape[1] != 3:
        raise LepbenchError(
            f"{label} returned an array of shape {list(drawn.shape)}",
            "return a tensor [B, 3, H, W], an array [B, H, W, 3], or PIL images",
        )
    if len(pictures) != count:
        raise LepbenchError(
            f"{label} returned {len(pictures)} pictures for {count} prompts", "return one each"
        )
    if pictures.dtype == torch.uint8:
        return pictures.float() / 255
    if not pictures.is_floating_point():
        raise LepbenchError(
            f"{label} returned pictures of {pictures.dtype}", "return uint8, or float in [0, 1]"
        )
    return _check_range(pictures.float(), label)


def _check_range(pictures: Tensor, label: str) -> Tensor:
    """Pictures clipped of what rounding leaves beyond [0, 1]; NaN stays, which fails a sample by itself."""
    known = pictures[pictures.isfinite()]
    if known.numel() and (float(known.min()) < -0.01 or float(known.max()) > 1.01):
        raise LepbenchError(
            f"{label} returned values from {float(known.min()):.3g} to {float(known.max()):.3g}",
            "scale pictures to [0, 1]",
        )
    return pictures


def _read_sequence(drawn: Any, label: str) -> Tensor:
    from PIL import Image

    if isinstance(drawn, Sequence) and drawn and all(isinstance(one, Image.Image) for one in drawn):
        sizes = {one.size for one in drawn}
        if len(sizes) > 1:
            raise LepbenchError(f"{label} returned pictures of {len(sizes)} sizes", "draw all at one size")
        return to_tensor(np.stack([np.asarray(to_rgb(one)) for one in drawn]))
    if isinstance(drawn, Sequence) and drawn and all(isinstance(one, Tensor) for one in drawn):
        return torch.stack(list(drawn)).detach().cpu()
    if isinstance(drawn, Sequence) and drawn and all(isinstance(one, np.ndarray) for one in drawn):
        return torch.from_numpy(np.stack(drawn)).movedim(-1, 1)
    raise LepbenchError(
        f"{label} returned {type(drawn).__name__}",
        "return a tensor [B, 3, H, W], an array [B, H, W, 3], or PIL images",
    )


def make_python_config(thing: Any) -> PythonConfig:
    """What a record says of a callable at hand: where it is defined, as far as Python knows."""
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    module = getattr(named, "__module__", None) or "__main__"
    name = str(named.__qualname__).replace("<locals>.", "").replace("<", "").replace(">", "")
    return PythonConfig(target=f"{module}:{name}")
