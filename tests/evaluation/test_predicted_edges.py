"""Edges that the model predicted: beside the pictures of a run, and in no figure."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.backbones.finite import NotFinite
from lepbench.config import parse_config
from lepbench.evaluation.layout import locate_edges
from lepbench.evaluation.predicted_edges import QUALITY, PredictedEdges
from lepbench.evaluation.run import evaluate
from lepbench.evaluation.sample import Sample
from lepbench.images import encode_webp
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.methods.drawn import draw_request
from lepbench.predictors import MlpConfig, MlpPredictor
from lepbench.suites import Suite


def read(content: bytes | Path) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content) if isinstance(content, bytes) else content))


def test_they_are_decoded_once_and_only_when_they_are_taken(tiny_suite: Suite) -> None:
    batch = [Sample(tiny_suite, 0, 0), Sample(tiny_suite, 0, 1), Sample(tiny_suite, 1, 0)]
    asked = []

    def decode() -> Tensor:
        asked.append(1)
        return torch.stack([torch.full((3, 8, 8), share) for share in (0.0, 0.5, 1.0)])

    edges = PredictedEdges()
    edges.add(batch, decode)
    assert asked == []
    first, second, third = edges.take(batch)
    assert asked == [1]
    assert second is None
    assert first is not None
    assert third is not None
    # Lines are dark on light.
    assert (read(first).min(), read(third).max()) == (255, 0)
    assert edges.take(batch) == [None] * 3


def test_edges_that_are_not_finite_are_none(tiny_suite: Suite) -> None:
    def fail() -> Tensor:
        raise NotFinite("edges")

    batch, edges = [Sample(tiny_suite, 0, 0)], PredictedEdges()
    edges.add(batch, fail)
    assert edges.take(batch) == [None]


def test_a_run_keeps_those_of_a_method_that_predicts(
    tiny_backbone: Backbone,
    tiny_pipeline_folder: Path,
    tiny_suite: Suite,
    tiny_judges: Judges,
    tmp_path: Path,
) -> None:
    taps = MlpConfig(taps=tiny_backbone.tap_channels, out_channels=4, train_timesteps=1000, hidden=(16,))
    MlpPredictor(taps).save_pretrained(tmp_path / "lep")
    method = {"name": "lep", "predictor": str(tmp_path / "lep")}
    given = {"name": "lep", "backbone": str(tiny_pipeline_folder), "sampler": {"steps": 2}, "method": method}
    model = parse_config(given, ModelConfig, "")
    evaluate(model, tiny_suite, tmp_path / "run", limit=2, device="cpu", judges=tiny_judges)
    built = model.method.build(tiny_backbone, model.sampler)
    for place in range(2):
        sample = Sample(tiny_suite, place, 0)
        drawn = draw_request(built, sample.request).edges
        assert drawn is not None
        kept = read(locate_edges(tmp_path / "run", sample.item_id)).astype(float)
        # A batch of two rounds otherwise, and WebP less or more of that.
        assert np.abs(kept - read(encode_webp(drawn, QUALITY))).mean() < 2
    assert len(list((tmp_path / "run" / "edges").iterdir())) == 2


@pytest.mark.parametrize("item", ["a.b", "plain"])
def test_their_place_is_that_of_the_item(tmp_path: Path, item: str) -> None:
    assert locate_edges(tmp_path, item).name == f"{item}-0.webp"
