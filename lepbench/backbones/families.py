"""Every family there is: importing this file registers them."""

from lepbench.backbones import sd
from lepbench.backbones.family import FAMILIES

__all__ = ["FAMILIES", "sd"]
