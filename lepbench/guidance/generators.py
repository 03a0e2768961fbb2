"""The generators that noise is drawn from, as a caller of diffusers gives them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lepbench.errors import LepbenchError
from lepbench.seeds import make_generator, read_seed

Generators = Sequence[torch.Generator] | torch.Generator | None
"""Of the noise that is drawn before and during sampling: one a sample, or one for the whole batch."""


def choose_generators(
    generator: Any, seed: int | Sequence[int] | None, count: int, device: torch.device
) -> Generators:
    """What `count` pictures are drawn from: what is given, or the device's own generator.

    Raises:
        LepbenchError: both are given, a generator is none, or there is not one seed a picture.
    """
    if seed is None:
        given = generator if isinstance(generator, list | tuple) else [generator]
        if any(isinstance(one, int | np.integer) for one in given):
            raise LepbenchError(f"generator={generator} is a number", f"write seed={generator}")
        if generator is not None and not all(isinstance(one, torch.Generator) for one in given):
            raise LepbenchError(
                f"generator is a {type(generator).__name__}", "give a torch.Generator, or seed="
            )
        chosen: Generators = find_default_generator(device) if generator is None else generator
        return chosen
    if generator is not None:
        raise LepbenchError("both seed and generator are given", "give one of them")
    if isinstance(seed, int | np.integer):
        seeds = [read_seed(seed + number) for number in range(count)]
    else:
        seeds = [read_seed(one) for one in seed] if isinstance(seed, Iterable) else [read_seed(seed)]
    if len(seeds) != count:
        raise LepbenchError(f"{len(seeds)} seeds for {count} pictures", "give one, or one a picture")
    return [make_generator(one) for one in seeds]


def find_default_generator(device: torch.device) -> torch.Generator | None:
    """The default generator of a device; None if torch does not expose it."""
    if device.type == "cuda":
        torch.cuda.init()  # type: ignore[no-untyped-call]
        index = torch.cuda.current_device() if device.index is None else device.index
        return torch.cuda.default_generators[index]
    return torch.default_generator if device.type == "cpu" else None


def draw_noise(source: Generators, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Standard normal float32 as in diffusers; with None, from the device's own generator.

    Raises:
        LepbenchError: there are generators, but not one a sample.
    """
    from diffusers.utils.torch_utils import randn_tensor

    sources = list(source) if isinstance(source, Sequence) else source
    if isinstance(sources, list) and len(sources) != shape[0]:
        raise LepbenchError(
            f"{len(sources)} generators for {shape[0]} pictures", "give one, or one a picture"
        )
    noise: Tensor = randn_tensor(shape, generator=sources, device=device, dtype=torch.float32)
    return noise
