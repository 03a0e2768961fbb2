"""What a space of pictures and captions gives besides their similarity: sketches in it, and classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from lepbench.judges.base import CaptionScorer, Classify, Embed, LoadedJudge, Matching
from lepbench.judges.weights import list_model_files


def make_loaded(scorer: CaptionScorer, folder: Path, features: Embed, prompt: str) -> LoadedJudge:
    """A model of pictures and captions as a judge of all that its space gives.

    Args:
        folder: of its files.
        features: by which sets are compared.
        prompt: what a class is called, with `{label}`.
    """
    return LoadedJudge(
        files={path.name: path for path in list_model_files(folder)},
        features=features,
        captions=scorer,
        sketches=match_drawings(scorer.image_embedding),
        classes=classify_by_caption(scorer, prompt),
    )


def match_drawings(embed: Embed) -> Matching:
    """Sketches as pictures, black strokes on white ground, in the space of the pictures.

    Source: the CLIP similarity of sketch and picture of Vinker et al., "CLIPasso", 2022, at its last layer.
    """

    def sketches(strokes: Tensor) -> Tensor:
        paper = (~strokes).float()[:, None].expand(-1, 3, -1, -1)
        return embed(paper)

    return Matching(sketches, embed)


def classify_by_caption(scorer: CaptionScorer, prompt: str) -> Classify:
    """Zero-shot classification: the class whose caption is most similar (Radford et al., 2021).

    Args:
        prompt: a caption with `{label}`.
    """
    known: dict[tuple[str, ...], Tensor] = {}

    @torch.no_grad()
    def classify(images: Tensor, classes: Sequence[str]) -> list[str]:
        names = tuple(classes)
        if names not in known:
            known.clear()
            known[names] = scorer.text_features([prompt.replace("{label}", name) for name in names])
        pictures = functional.normalize(scorer.image_embedding(images), dim=-1)
        return [names[best] for best in (pictures @ known[names].T).argmax(dim=1).tolist()]

    return classify
