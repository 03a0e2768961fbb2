"""All families; importing this module registers them."""

from lepbench.backbones import flux, flux2, pixart, qwenimage, sana, sd, sd3, sdxl, zimage
from lepbench.backbones.family import FAMILIES

__all__ = ["FAMILIES", "flux", "flux2", "pixart", "qwenimage", "sana", "sd", "sd3", "sdxl", "zimage"]
