"""A latent diffusion pipeline as data: components, taps, latents, text."""

from lepbench.backbones.backbone import Backbone, load_backbone

__all__ = ["Backbone", "load_backbone"]
