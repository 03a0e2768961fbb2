"""All families; importing this module registers them."""

from lepbench.backbones import flux, pixart, qwenimage, sana, sd, sd3, sdxl, zimage
from lepbench.backbones.family import FAMILIES

__all__ = ["FAMILIES", "flux", "pixart", "qwenimage", "sana", "sd", "sd3", "sdxl", "zimage"]
