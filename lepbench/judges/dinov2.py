"""DINOv2 models: features by which the Frechet distance agrees best with people."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from lepbench.errors import LepbenchError
from lepbench.judges.base import JUDGES, Ability, LoadedJudge
from lepbench.judges.pixels import normalise, resize_cleanly
from lepbench.judges.weights import ModelJudgeConfig, find_weights, list_model_files
from lepbench.quiet import silence_libraries

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
        folder = self.find()
        model = _load_model(folder).to(device)

        @torch.no_grad()
        def embed(images: Tensor) -> Tensor:
            values = normalise(resize_cleanly(images, self.size), MEAN, DEVIATION)
            features: Tensor = model(values.to(device)).pooler_output
            return features

        return LoadedJudge({path.name: path for path in list_model_files(folder)}, features=embed)


def _load_model(folder: Any) -> Any:
    from safetensors import SafetensorError
    from transformers import Dinov2Model

    from lepbench.judges.clip import require_whole

    try:
        with silence_libraries():
            model, loading = Dinov2Model.from_pretrained(
                folder,
                use_safetensors=find_weights(folder).suffix == ".safetensors",
                output_loading_info=True,
                local_files_only=True,
            )
        require_whole(loading)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise LepbenchError(
            f"cannot load a DINOv2 model from {folder}: {reason}", "check the folder"
        ) from error
    return model.float().eval().requires_grad_(False)
