"""A latent diffusion pipeline as data: components, taps, latents, text."""

from lepbench.backbones.assemble import load_backbone
from lepbench.backbones.backbone import Backbone
from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.load import choose_device

__all__ = ["Backbone", "Conditioning", "choose_device", "load_backbone"]
