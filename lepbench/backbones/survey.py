"""Shapes of a denoiser's taps, measured by a forward pass on the meta device, without weights."""

from __future__ import annotations

from typing import NamedTuple

import torch

from lepbench.backbones.family import ComponentConfig, Family, Size
from lepbench.backbones.load import import_class
from lepbench.backbones.taps import collect_taps

PIXELS = 8
"""Image pixels per latent pixel; no shape depends on it."""


class TapShape(NamedTuple):
    """One tapped position and its feature shape for one sample."""

    name: str
    channels: int
    height: int
    width: int


def measure_tap_shapes(family: Family, config: ComponentConfig, latent: Size) -> list[TapShape]:
    """The taps of a denoiser of this config for latents of that size, in order.

    Raises:
        LepbenchError: no taps are known for it.
    """
    positions = family.positions(config)
    meta = torch.device("meta")
    with meta:
        denoiser = import_class(family.components[family.denoiser]).from_config(dict(config))
    # Buffers made from NumPy arrays are still on the CPU.
    denoiser.eval().to(meta)
    latents = torch.empty(1, family.latent_channels(config), *latent, device=meta)
    pixels = (latent[0] * PIXELS, latent[1] * PIXELS)
    with torch.no_grad(), collect_taps(denoiser, positions) as outputs:
        family.run(
            denoiser,
            latents,
            torch.zeros(1, device=meta),
            conditioning=family.blank(config).to(meta),
            pixels=pixels,
        )
    maps = {name: family.fold(outputs[name], latent, config) for name in positions}
    return [TapShape(name, *map_.shape[1:]) for name, map_ in maps.items()]
