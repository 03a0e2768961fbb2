"""A latent diffusion pipeline as data: components, taps, latents, text; imported when it is asked for."""

from typing import TYPE_CHECKING

from lepbench.lazy import import_lazily

if TYPE_CHECKING:
    from lepbench.backbones.assemble import load_backbone
    from lepbench.backbones.backbone import Backbone
    from lepbench.backbones.conditioning import Conditioning
    from lepbench.backbones.load import choose_device

__all__ = ["Backbone", "Conditioning", "choose_device", "load_backbone"]

__getattr__ = import_lazily(
    __name__,
    {
        "Backbone": "lepbench.backbones.backbone",
        "Conditioning": "lepbench.backbones.conditioning",
        "choose_device": "lepbench.backbones.load",
        "load_backbone": "lepbench.backbones.assemble",
    },
)
