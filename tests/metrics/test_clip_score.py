"""The published CLIP score against torchmetrics' own class, given a model that returns known features."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torchmetrics.multimodal import CLIPScore

from lepbench.metrics.clip import clip_score, cosine

GENERATOR = torch.Generator().manual_seed(0)
PICTURES, CAPTIONS = torch.randn(2, 12, 5, generator=GENERATOR)


class Towers:
    """A CLIP model whose pictures and captions are numbers of features; `get_*_features` give tensors."""

    config = SimpleNamespace()

    def to(self, device: torch.device) -> "Towers":
        return self

    def get_image_features(self, pixel_values: torch.Tensor) -> torch.Tensor:
        return PICTURES[pixel_values.long()]

    def get_text_features(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return CAPTIONS[input_ids]


def processor(
    images: list[Tensor] | None = None, text: list[str] | None = None, **options: object
) -> dict[str, torch.Tensor]:
    if images is not None:
        return {"pixel_values": torch.stack([image[0, 0, 0] for image in images])}
    ids = torch.tensor([int(caption) for caption in text or []])
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def by_torchmetrics(numbers: list[int]) -> float:
    metric = CLIPScore(model_name_or_path=lambda: (Towers(), processor))
    metric.update([torch.full((1, 1, 1), n) for n in numbers], [str(n) for n in numbers])
    return metric.compute().item()


def test_equal_to_torchmetrics_pair_by_pair() -> None:
    scores = clip_score(PICTURES, CAPTIONS)
    assert (scores == 0).any()
    assert (scores > 0).any()
    for number in range(len(PICTURES)):
        assert scores[number].item() == pytest.approx(by_torchmetrics([number]), abs=1e-4)


def test_torchmetrics_clamps_only_the_mean() -> None:
    numbers = list(range(len(PICTURES)))
    mean = 100 * cosine(PICTURES, CAPTIONS).mean().item()
    assert by_torchmetrics(numbers) == pytest.approx(max(mean, 0), abs=1e-4)
    assert clip_score(PICTURES, CAPTIONS).mean().item() > mean


def test_the_raw_cosine_is_neither_scaled_nor_clamped() -> None:
    one = torch.tensor([[3.0, 4.0]])
    assert cosine(one, -one).item() == pytest.approx(-1)
    assert clip_score(one, -one).item() == 0
    assert clip_score(one, 7 * one).item() == pytest.approx(100)
