"""A CLIP model as a judge: similarity of pictures to captions, and features that sets are compared by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from lepbench.errors import LepbenchError
from lepbench.judges.base import JUDGES, LoadedJudge, list_weights
from lepbench.judges.paths import JUDGE
from lepbench.quiet import silence_libraries


class ClipScorer:
    """Features of pictures and captions by one CLIP model, in float32.

    Args:
        model: a `transformers.CLIPModel`.
        tokenizer: its tokenizer; captions longer than the model takes keep their end token.
        processor: its image processor; its resize, crop and normalisation are applied to tensors.
    """

    def __init__(self, model: Any, tokenizer: Any, processor: Any) -> None:
        self.model = model.float().eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.processor = processor
        positions = int(model.config.text_config.max_position_embeddings)
        self.max_tokens = min(int(tokenizer.model_max_length), positions)

    @classmethod
    def load(cls, source: str | Path, *, device: str = "cpu", revision: str | None = None) -> ClipScorer:
        """Load model, tokenizer and image processor from a folder, or by id where a hub can be reached.

        Raises:
            LepbenchError: a file is missing or does not fit.
        """
        from safetensors import SafetensorError
        from transformers import CLIPImageProcessor, CLIPModel, CLIPTokenizer

        options = {"revision": revision} if revision else {}
        try:
            require_files(Path(source))
            with silence_libraries():
                model, loading = CLIPModel.from_pretrained(
                    str(source), use_safetensors=True, output_loading_info=True, **options
                )
            require_whole(loading)
            tokenizer = CLIPTokenizer.from_pretrained(str(source), **options)
            processor = CLIPImageProcessor.from_pretrained(str(source), **options)
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            reason = str(error).strip().partition("\n")[0]
            fix = "give a folder, or id, with a CLIPModel, its tokenizer and its image processor"
            raise LepbenchError(f"cannot load a CLIP model from {source}: {reason}", fix) from error
        return cls(model.to(device), tokenizer, processor)

    def image_embedding(self, images: Tensor) -> Tensor:
        """Projected image features, not normalised, for Frechet distance and KID; differentiable.

        Args:
            images: float [B, 3, H, W] in [0, 1].

        Returns:
            float32 [B, D] on the model's device.
        """
        return pooled(self.model.get_image_features(pixel_values=self.pixel_values(images)))

    def image_features(self, images: Tensor) -> Tensor:
        """`image_embedding` of unit length."""
        return F.normalize(self.image_embedding(images), dim=-1)

    @torch.no_grad()
    def text_features(self, captions: Sequence[str]) -> Tensor:
        """Projected caption features of unit length, float32 [B, D] on the model's device."""
        rows = [self.fitted(ids) for ids in self.token_ids(captions)]
        tokens = {"input_ids": rows, "attention_mask": [[1] * len(ids) for ids in rows]}
        # Padded to the full length always: features then do not depend on the captions beside.
        batch = self.tokenizer.pad(
            tokens, padding="max_length", max_length=self.max_tokens, return_tensors="pt"
        )
        features = pooled(self.model.get_text_features(**batch.to(self.model.device)))
        return F.normalize(features, dim=-1)

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
        """Resize, crop and normalise pictures [B, 3, H, W] in [0, 1] as the image processor is configured.

        A resize with negative lobes may leave [0, 1]: clipped, as 8-bit pictures are, but not rounded.
        """
        processor = self.processor
        prepared: Tensor = processor(
            images.to(self.model.device, torch.float32),
            do_rescale=False,
            do_normalize=False,
            return_tensors="pt",
        )["pixel_values"].clamp(0, 1)
        if not processor.do_normalize:
            return prepared
        mean, deviation = (
            prepared.new_tensor(v).view(1, 3, 1, 1) for v in (processor.image_mean, processor.image_std)
        )
        return (prepared - mean) / deviation


@JUDGES.register("judge@1")
def load_embedded_scorer(device: str) -> LoadedJudge:
    """The CLIP model that ships, on a device.

    Raises:
        LepbenchError: a file of it is missing or damaged.
    """
    return LoadedJudge(ClipScorer.load(JUDGE, device=device), list_weights(JUDGE))


def require_files(folder: Path) -> None:
    """Refuse a folder without configuration or tokenizer: transformers would silently make one up.

    Raises:
        FileNotFoundError: a file is missing, or the folder is. What may be an id passes.
    """
    if not folder.is_dir():
        if folder.is_absolute() or len(folder.parts) > 2:
            raise FileNotFoundError("there is no such folder")
        return
    for names in (("config.json",), ("tokenizer.json", "vocab.json")):
        if not any((folder / name).is_file() for name in names):
            raise FileNotFoundError(f"there is no {names[0]}")


def require_whole(loading: dict[str, Any]) -> None:
    """Refuse weights that do not fill the model: transformers would fill the rest at random.

    Raises:
        ValueError: a tensor is missing or of another shape.
    """
    absent = [*loading["missing_keys"], *(key[0] for key in loading["mismatched_keys"])]
    if absent:
        raise ValueError(f"the weights lack {sorted(absent)[0]} and {len(absent) - 1} more")


def pooled(output: Any) -> Tensor:
    """The projected features of `get_*_features`: a tensor in transformers 4, an object's field since 5."""
    return output if isinstance(output, Tensor) else cast(Tensor, output.pooler_output)
