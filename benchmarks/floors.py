"""The least time that guided drawing can take: its operations at half of a GPU's peak.

Operations are counted on the meta device, where networks have shapes and no weights. Counted are the passes
of the denoiser, the backward pass from the taps to the latent, the sketch's way through the VAE and the
picture's; not the predictor, the scheduler and the text encoders, which are small beside them.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

import torch
from guided_step import Contest, add_vae, random_backbone

from lepbench.backbones import Backbone
from lepbench.backbones.cost import Passes, count_flops, count_pass_flops
from lepbench.backbones.vae_batches import encode_batches

GIGA = 1e9
PEAKS = {
    r"\bH[12]00 NVL\b": 835e12,
    r"\bH100 PCIe\b": 756e12,
    r"\bH[12]00\b": 989e12,
    r"\bA100\b": 312e12,
}
"""Dense bf16 operations a second by NVIDIA's data sheets; the first pattern found in a device's name."""
REACHABLE = 0.5
"""The share of the peak that good kernels reach over a whole network."""


class Parts(NamedTuple):
    """Floating point operations of the parts of one picture.

    Attributes:
        forward: a pass of the denoiser.
        backward: from the taps to the latent, parameters frozen.
        encode, decode: the sketch to its latent, and the latent to the picture.
    """

    forward: int
    backward: int
    encode: int
    decode: int

    @property
    def plain_step(self) -> int:
        """A step of classifier-free guidance."""
        return 2 * self.forward

    @property
    def guided_step(self) -> int:
        """The same with the gradient of the sketch loss."""
        return self.plain_step + self.backward

    def picture(self, passes: Passes, pictures: int) -> float:
        """A finished picture, where so many took these passes."""
        passed = (passes.total * self.forward + passes.steered * self.backward) / pictures
        return self.encode + passed + self.decode


@cache
def count_parts(name: str, tiny: bool, size: int) -> Parts:
    """Operations of the backbone `name`, or of its tiny version, for one picture of `size` px a side.

    In GFLOP, forward, backward, encode and decode: of `sd15` at 512 px 803, 661, 1,117 and 2,515; of `sdxl`
    at 1024 px 6,761, 7,460, 4,879 and 10,470.
    """
    backbone = add_vae(random_backbone(tiny, name, torch.device("meta")), name, tiny)
    return count_backbone(backbone, size)


def count_backbone(backbone: Backbone, size: int) -> Parts:
    """Operations of a backbone on the meta device for one picture of `size` px a side."""
    channels, side, _ = backbone.latent_shape(size)
    forward = count_pass_flops(backbone, (size, size))
    picture = torch.zeros(1, 3, size, size, device=backbone.device)
    latent = torch.zeros(1, channels, side, side, device=backbone.device)
    with torch.no_grad():
        encode = count_flops(lambda: encode_batches(backbone.family.autoencoder, backbone.vae, picture))
        decode = count_flops(lambda: backbone.decode(latent))
    # Two passes, and one way back.
    step = Contest(backbone, side, hidden=(8,)).flops()
    return Parts(forward, step - 2 * forward, encode, decode)


def find_peak(device: str) -> float | None:
    """Dense bf16 operations a second of a device; None where this is not known."""
    return next((peak for pattern, peak in PEAKS.items() if re.search(pattern, device)), None)


def floor_seconds(flops: float, device: str) -> float | None:
    """The time of so many operations at half of the device's peak; None where its peak is not known."""
    peak = find_peak(device)
    return None if peak is None else flops / (REACHABLE * peak)
