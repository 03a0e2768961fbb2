"""DINOv2 models: features by which the Frechet distance agrees best with people."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from lepbench.judges.base import JUDGES, Ability, LoadedJudge
from lepbench.judges.pixels import normalise, resize_cleanly
from lepbench.judges.pretrained import explain_unloadable, load_network
from lepbench.judges.weights import ModelJudgeConfig, list_model_files

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pictures in [0, 1]."""


@JUDGES.register("dinov2")
class Dinov2JudgeConfig(ModelJudgeConfig):
    """The class token of a `transformers.Dinov2Model`, of pictures resized without aliasing.

    Source: Stein et al., "Exposing flaws of generative model evaluation metrics", 2023: ViT-L/14 at 224 px.
    """

    able: ClassVar[tuple[Ability, ...]] = ("features",)
    name: Literal["dinov2"] = "dinov2"
    size: int = Field(default=224, ge=14)
    """Side of the pictures that the network reads, in pixels."""

    def load(self, device: str) -> LoadedJudge:
        from transformers import Dinov2Model

        folder = self.find()
        with explain_unloadable(f"a DINOv2 model from {folder}", "check the folder"):
            model = load_network(Dinov2Model, folder).float().eval().requires_grad_(False).to(device)

        @torch.no_grad()
        def embed(images: Tensor) -> Tensor:
            values = normalise(resize_cleanly(images, self.size), MEAN, DEVIATION)
            features: Tensor = model(values.to(device)).pooler_output
            return features

        return LoadedJudge({path.name: path for path in list_model_files(folder)}, features=embed)
