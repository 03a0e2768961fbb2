"""A picture that is not finite has failed wherever it was asked for; the message says what overflowed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_pipelines import sdxl

import lepbench
from lepbench.backbones import Backbone, load_backbone
from lepbench.backbones.finite import NotFinite, require_finite
from lepbench.errors import LepbenchError
from lepbench.evaluation.condition_runner import Failure, draw_batch
from lepbench.evaluation.conditions import make_model_condition
from lepbench.evaluation.sample import Sample
from lepbench.guidance.diffusers_backbone import wrap_pipeline
from lepbench.guidance.pipeline import SketchGuidedPipeline
from lepbench.methods import Method, Request
from lepbench.predictors import MlpConfig, MlpPredictor
from lepbench.suites import load_suite


@pytest.fixture
def overflowing(tiny_folder_of: Callable[[str], Path]) -> Backbone:
    """Its VAE decodes to NaN."""
    backbone = load_backbone(tiny_folder_of("sd-v"))
    with torch.no_grad():
        backbone.vae.decoder.conv_out.bias[0] = float("nan")
    return backbone


def test_the_source_of_nan_is_named() -> None:
    good, bad = torch.zeros(3, 4, 2, 2), torch.zeros(3, 4, 2, 2)
    bad[1, 0, 0, 0] = float("nan")
    half, full = torch.float16, torch.float32
    require_finite(good, good, denoiser=half, vae=half)
    with pytest.raises(
        NotFinite, match=r"1 of 3 pictures hold NaN: the VAE overflowed in float16; .* float32"
    ):
        require_finite(good, bad, denoiser=full, vae=half)
    with pytest.raises(NotFinite, match=r"1 of 3 .*: the denoiser overflowed in float16; run it in bfloat16"):
        require_finite(bad, bad, denoiser=half, vae=full)
    with pytest.raises(NotFinite, match=r"the denoiser overflowed in float32; give smaller scales"):
        require_finite(bad, bad, denoiser=full, vae=full)


def test_no_black_picture_comes_of_it(overflowing: Backbone) -> None:
    with pytest.raises(LepbenchError, match="1 of 1 pictures hold NaN: the VAE overflowed"):
        lepbench.sample("a", backbone=overflowing, steps=1, height=32, width=32, progress=False)


def test_a_vae_in_half_precision_that_overflows_is_told_in_a_pipeline() -> None:
    pipe = sdxl()
    pipe.set_progress_bar_config(disable=True)
    with torch.no_grad():
        pipe.vae.decoder.conv_in.weight.mul_(1e7)
    pipe.vae.register_to_config(force_upcast=False)
    pipe.to(torch.float16)
    backbone = wrap_pipeline(pipe)
    config = MlpConfig(taps=backbone.tap_channels, out_channels=4, train_timesteps=1000, hidden=(8,))
    guided = SketchGuidedPipeline.from_pipe(pipe, MlpPredictor(config))
    options: dict[str, Any] = {"num_inference_steps": 1, "height": 32, "width": 32, "seed": 0}
    with pytest.raises(LepbenchError, match="the VAE overflowed in float16; run the VAE in float32"):
        guided("a", **options)
    assert guided("a", output_type="latent", **options).images.isfinite().all()
    with torch.no_grad():
        pipe.vae.encoder.conv_in.weight.fill_(float("inf"))
    sketch = np.zeros((32, 32), np.bool_)
    sketch[8:24, 12] = True
    with pytest.raises(LepbenchError, match="encoded to NaN: the VAE overflowed in float16; run the V"):
        guided("a", sketch, **options)


@dataclasses.dataclass(frozen=True)
class OneFails(Method):
    """Fails as a VAE does where one seed is among those asked for."""

    seed: int

    def draw(self, requests: Sequence[Request]) -> torch.Tensor:
        if self.seed in [request.seed for request in requests]:
            raise NotFinite("1 of 2 pictures hold NaN: the VAE overflowed in float16")
        return torch.ones(len(requests), 3, 64, 64)


def test_in_an_evaluation_it_alone_has_failed() -> None:
    suite = load_suite("sketchworld-edges-v1")
    batch = [Sample(suite, position, 0) for position in range(3)]
    drawn = draw_batch(make_model_condition(OneFails(batch[1].seed)), batch)
    assert [isinstance(one, Failure) for one in drawn] == [False, True, False]
    failure = drawn[1]
    assert isinstance(failure, Failure)
    assert failure.reason == "1 of 2 pictures hold NaN: the VAE overflowed in float16"
    assert isinstance(drawn[0], np.ndarray)
