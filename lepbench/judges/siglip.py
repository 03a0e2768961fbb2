"""SigLIP models: as CLIP, trained by a sigmoid loss, with captions padded to a fixed length."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from lepbench.judges.base import JUDGES, Ability, LoadedJudge
from lepbench.judges.clip import ClipScorer
from lepbench.judges.pretrained import load_parts
from lepbench.judges.shared_space import make_loaded
from lepbench.judges.weights import ModelJudgeConfig


@JUDGES.register("siglip")
class SiglipJudgeConfig(ModelJudgeConfig):
    """A `transformers.SiglipModel` (SigLIP, and SigLIP 2 of fixed resolution)."""

    able: ClassVar[tuple[Ability, ...]] = ("captions", "features", "sketches", "classes")
    unit: ClassVar[bool] = True
    name: Literal["siglip"] = "siglip"
    prompt: str = "a photo of a {label}"
    """What a class is called for `classes`."""

    def load(self, device: str) -> LoadedJudge:
        folder = self.find()
        scorer = SiglipScorer.load(folder, device=device)
        return make_loaded(scorer, folder, scorer.image_embedding, self.prompt)


class SiglipScorer(ClipScorer):
    """Features of pictures and captions by one SigLIP model, in float32."""

    @classmethod
    def load(cls, folder: Path, *, device: str = "cpu") -> SiglipScorer:
        from transformers import AutoTokenizer, SiglipImageProcessor, SiglipModel

        return cls(*load_parts(folder, (SiglipModel, AutoTokenizer, SiglipImageProcessor), device))

    def tokens(self, captions: Sequence[str]) -> Any:
        """Token ids [B, L] of captions, padded to the length of training, without a mask."""
        padded = self.tokenizer(
            list(captions),
            padding="max_length",
            max_length=self.max_tokens,
            truncation=True,
            return_tensors="pt",
        )
        padded.pop("attention_mask", None)
        return padded
