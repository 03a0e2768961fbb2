"""CLIP models: similarity of pictures to captions and to sketches, and features that sets are compared by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from lepbench.judges.base import JUDGES, Ability, JudgeConfig, LoadedJudge
from lepbench.judges.paths import GUARD, JUDGE
from lepbench.judges.pixels import normalise, resize_cleanly, to_bytes
from lepbench.judges.pretrained import load_parts
from lepbench.judges.shared_space import make_loaded
from lepbench.judges.weights import ModelJudgeConfig, find_weights


@JUDGES.register("clip")
class ClipJudgeConfig(ModelJudgeConfig):
    """A `transformers.CLIPModel` with its tokenizer and image processor."""

    able: ClassVar[tuple[Ability, ...]] = ("captions", "features", "sketches", "classes")
    unit: ClassVar[bool] = True
    name: Literal["clip"] = "clip"
    resize: Literal["processor", "clean-fid"] = "processor"
    """How pictures are resized for `features`: by the model's image processor, or as clean-fid does it."""
    prompt: str = "a photo of a {label}"
    """What a class is called for `classes`."""

    def load(self, device: str) -> LoadedJudge:
        folder = self.find()
        scorer = ClipScorer.load(folder, device=device)
        features = scorer.image_embedding if self.resize == "processor" else scorer.clean_embedding
        return make_loaded(scorer, folder, features, self.prompt)


@JUDGES.register("sketchworld-clip")
class SketchworldClipConfig(JudgeConfig):
    """The CLIP model that ships: it learnt sketchworld alone, at 64 px, and knows no other pictures."""

    able: ClassVar[tuple[Ability, ...]] = ("captions", "features")
    name: Literal["sketchworld-clip"] = "sketchworld-clip"
    version: Literal[1] = 1

    def load(self, device: str) -> LoadedJudge:
        return load_shipped(JUDGE, device)


@JUDGES.register("sketchworld-guard")
class SketchworldGuardConfig(JudgeConfig):
    """A second CLIP model of sketchworld, of other scenes, seed and layers, whose figures rank nothing.

    Whoever raises the figures of `sketchworld-clip` by its gradient raises those of this one less.
    """

    able: ClassVar[tuple[Ability, ...]] = ("captions", "features")
    name: Literal["sketchworld-guard"] = "sketchworld-guard"
    version: Literal[1] = 1

    def load(self, device: str) -> LoadedJudge:
        return load_shipped(GUARD, device)


def load_shipped(folder: Path, device: str) -> LoadedJudge:
    """A CLIP model of the package, by its features and captions."""
    scorer, weights = ClipScorer.load(folder, device=device), find_weights(folder)
    return LoadedJudge({weights.name: weights}, features=scorer.image_embedding, captions=scorer)


class ClipScorer:
    """Features of pictures and captions by one CLIP model, in float32.

    Args:
        model: a `transformers.CLIPModel`.
        tokenizer: its tokenizer; captions longer than the model takes keep their end token.
        processor: its image processor, which resizes, crops and normalises.
    """

    def __init__(self, model: Any, tokenizer: Any, processor: Any) -> None:
        self.model = model.float().eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.processor = processor
        positions = int(model.config.text_config.max_position_embeddings)
        self.max_tokens = min(int(tokenizer.model_max_length), positions)

    @classmethod
    def load(cls, folder: Path, *, device: str = "cpu") -> ClipScorer:
        """Load model, tokenizer and image processor from a folder.

        Raises:
            LepbenchError: a file is missing or does not fit.
        """
        from transformers import CLIPImageProcessor, CLIPModel, CLIPTokenizer

        return cls(*load_parts(folder, (CLIPModel, CLIPTokenizer, CLIPImageProcessor), device))

    @torch.no_grad()
    def image_embedding(self, images: Tensor) -> Tensor:
        """Projected image features, not normalised.

        Args:
            images: float [B, 3, H, W] in [0, 1]; read by 8 bits a channel, as they are stored.

        Returns:
            float32 [B, D] on the model's device.
        """
        return pooled(self.model.get_image_features(pixel_values=self.pixel_values(images)))

    @torch.no_grad()
    def clean_embedding(self, images: Tensor) -> Tensor:
        """`image_embedding` of pictures resized as clean-fid does it instead of by the processor."""
        batch = resize_cleanly(images, int(self.model.config.vision_config.image_size))
        values = normalise(batch, self.processor.image_mean, self.processor.image_std)
        return pooled(self.model.get_image_features(pixel_values=values.to(self.model.device)))

    def image_features(self, images: Tensor) -> Tensor:
        """`image_embedding` of unit length."""
        return F.normalize(self.image_embedding(images), dim=-1)

    @torch.no_grad()
    def text_features(self, captions: Sequence[str]) -> Tensor:
        """Projected caption features of unit length, float32 [B, D] on the model's device."""
        features = pooled(self.model.get_text_features(**self.tokens(captions).to(self.model.device)))
        return F.normalize(features, dim=-1)

    def tokens(self, captions: Sequence[str]) -> Any:
        """Token ids [B, L] and attention mask of captions.

        Padded to the full length always: features then do not depend on the captions beside.
        """
        rows = [self.fitted(ids) for ids in self.token_ids(captions)]
        tokens = {"input_ids": rows, "attention_mask": [[1] * len(ids) for ids in rows]}
        return self.tokenizer.pad(
            tokens, padding="max_length", max_length=self.max_tokens, return_tensors="pt"
        )

    def truncated(self, captions: Sequence[str]) -> int:
        """How many captions are longer than the model takes, and so lose their tail."""
        return sum(len(ids) > self.max_tokens for ids in self.token_ids(captions))

    def token_ids(self, captions: Sequence[str]) -> list[list[int]]:
        """Token ids of each caption in full, with start and end."""
        rows: list[list[int]] = self.tokenizer(list(captions), truncation=False, verbose=False)["input_ids"]
        return rows

    def fitted(self, ids: list[int]) -> list[int]:
        """Token ids cut to the model's length, the end token kept: CLIP reads its feature there."""
        return ids if len(ids) <= self.max_tokens else [*ids[: self.max_tokens - 1], ids[-1]]

    def pixel_values(self, images: Tensor) -> Tensor:
        """What the image processor makes of pictures [B, 3, H, W] in [0, 1], on the model's device."""
        found: Tensor = self.processor(to_bytes(images), return_tensors="pt")["pixel_values"]
        return found.to(self.model.device)


def pooled(output: Any) -> Tensor:
    """The projected features of `get_*_features`: a tensor in transformers 4, an object's field since 5."""
    return output if isinstance(output, Tensor) else cast(Tensor, output.pooler_output)
