"""Figures by the libraries that judges stand for, without our code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from lepbench.images import Pixels


def load_clip(folder: Path) -> tuple[Any, Any]:
    """A CLIPModel of transformers and its CLIPProcessor."""
    from transformers import CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

    parts = CLIPImageProcessor.from_pretrained(folder), CLIPTokenizer.from_pretrained(folder)
    return CLIPModel.from_pretrained(folder).eval(), CLIPProcessor(*parts)


def compare_pictures(folder: Path, pixels: list[Pixels], captions: list[str]) -> Tensor:
    """The cosine of every picture and every caption by the whole CLIPModel, [B, T]."""
    model, prepare = load_clip(folder)
    images = [Image.fromarray(one) for one in pixels]
    with torch.no_grad():
        found = model(**prepare(text=captions, images=images, return_tensors="pt", padding=True))
    return torch.as_tensor(found.logits_per_image / model.logit_scale.exp().item())


def load_layers(path: Path) -> nn.Module:
    """What is in the file of a TorchScript Inception, for pictures in [0, 255] at 299 px."""
    model: Any = torch.jit.load(path).eval()

    class Layers(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = model.layers

        @torch.no_grad()
        def forward(self, batch: Tensor) -> Tensor:
            return torch.as_tensor(self.layers((batch.float() - 128) / 128).flatten(1))

    return Layers()


def compute_clean_fid(generated: Path, real: Path, layers: nn.Module) -> float:
    """The FID of two folders by clean-fid."""
    from cleanfid import fid

    options = {"num_workers": 0, "device": torch.device("cpu"), "use_dataparallel": False, "verbose": False}
    return float(fid.compute_fid(str(generated), str(real), custom_feat_extractor=layers, **options))
