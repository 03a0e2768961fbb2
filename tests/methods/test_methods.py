"""Methods draw what the sampler draws from each item's own noise; the sketch steers the guided one alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from lepbench.backbones import Backbone, load_backbone
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings
from lepbench.methods import CleanEdgesConfig, LepConfig, Method, Request, UnguidedConfig
from lepbench.methods.base import check_drawing
from lepbench.predictors import MlpConfig, MlpPredictor
from lepbench.seeds import draw_noise

PROMPTS = ["a red fish", "a blue house"]
SEEDS = [3, 2**62 + 1]
SAMPLER = SamplerSettings(steps=3)


@pytest.fixture(scope="module")
def backbone(tiny_pipeline_folder: Path) -> Backbone:
    return load_backbone(tiny_pipeline_folder)


@pytest.fixture(scope="module")
def predictor_folder(backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        predictor = MlpPredictor(
            MlpConfig(taps=backbone.tap_channels, out_channels=4, train_timesteps=1000, hidden=(8,))
        )
    folder = tmp_path_factory.mktemp("predictor")
    predictor.save_pretrained(folder)
    return folder


def lep(backbone: Backbone, folder: Path, **settings: object) -> Method:
    return LepConfig(predictor=str(folder), **settings).build(backbone, SAMPLER)


def sketches() -> np.ndarray:
    strokes = np.zeros((2, 64, 64), dtype=bool)
    strokes[0, 20:40, 20] = True
    strokes[1, 10, 5:60] = True
    return strokes


def asked(drawn: np.ndarray | None = None) -> list[Request]:
    """The two prompts, along the usual sketches or those given."""
    strokes = sketches() if drawn is None else drawn
    return [Request(f"{i}.png", PROMPTS[i], strokes[i], SEEDS[i]) for i in range(2)]


def test_unguided_is_the_stock_pipeline_on_the_items_noise(
    backbone: Backbone, tiny_pipeline_folder: Path
) -> None:
    from diffusers import StableDiffusionPipeline

    drawn = UnguidedConfig().build(backbone, SAMPLER).draw(asked())
    pipeline = StableDiffusionPipeline.from_pretrained(tiny_pipeline_folder, safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    latents = torch.stack([draw_noise(seed, (4, 16, 16)) for seed in SEEDS])
    expected = pipeline(
        PROMPTS, num_inference_steps=3, guidance_scale=4.0, latents=latents, output_type="pt"
    ).images
    assert drawn.shape == (2, 3, 64, 64)
    torch.testing.assert_close(drawn, expected, atol=1e-5, rtol=0)


def test_unguided_does_not_look_at_the_sketch(backbone: Backbone) -> None:
    method = UnguidedConfig().build(backbone, SAMPLER)
    other = method.draw(asked(~sketches()))
    assert torch.equal(other, method.draw(asked()))
    assert method.weights == {}


def test_guidance_moves_the_picture_with_its_own_sketch_only(
    backbone: Backbone, predictor_folder: Path
) -> None:
    method = lep(backbone, predictor_folder, scale=1.6, stop=0.2)
    changed = sketches()
    changed[1] = ~changed[1]
    first, second = (method.draw(asked(s)) for s in (sketches(), changed))
    torch.testing.assert_close(first[0], second[0], atol=1e-5, rtol=0)
    assert (first[1] - second[1]).abs().max() > 1e-3


@pytest.mark.parametrize("settings", [{"scale": 0.0}, {"stop": 1.0}])
def test_guidance_of_no_length_is_unguided(
    backbone: Backbone, predictor_folder: Path, settings: dict[str, float]
) -> None:
    drawn = lep(backbone, predictor_folder, **settings).draw(asked())
    plain = UnguidedConfig().build(backbone, SAMPLER).draw(asked())
    torch.testing.assert_close(drawn, plain, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    "settings",
    [
        {"decay": "cosine"},
        {"repeats": {"times": 2, "above": 0.5}},
        {"travel": {"times": 1, "back": 1, "above": 0.5}},
        {"execution": {"checkpointing": True}},
    ],
)
def test_options_reach_the_sampler_and_an_option_of_cost_alone_changes_nothing(
    backbone: Backbone, predictor_folder: Path, settings: dict[str, object]
) -> None:
    drawn = lep(backbone, predictor_folder, stop=0.2, **settings).draw(asked())
    plain = lep(backbone, predictor_folder, stop=0.2).draw(asked())
    assert torch.allclose(drawn, plain, atol=1e-3) == ("execution" in settings)


def test_a_request_may_weigh_its_sketch(backbone: Backbone, predictor_folder: Path) -> None:
    method = lep(backbone, predictor_folder, stop=0.2)
    plain, even, uneven = asked(), asked(), asked()
    even[0] = dataclasses.replace(even[0], weights=np.ones((64, 64)))
    uneven[0] = dataclasses.replace(uneven[0], weights=np.eye(64))
    first, same, other = (method.draw(requests) for requests in (plain, even, uneven))
    torch.testing.assert_close(first, same, atol=1e-4, rtol=0)
    assert (first[0] - other[0]).abs().max() > 1e-3
    torch.testing.assert_close(first[1], other[1], atol=1e-4, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [LepConfig, CleanEdgesConfig])
def test_emphasis_weighs_strokes_against_the_ground(
    kind: type[LepConfig | CleanEdgesConfig], backbone: Backbone, predictor_folder: Path
) -> None:
    chosen = {"predictor": str(predictor_folder)} if kind is LepConfig else {}

    def drawn(emphasis: float | None, requests: list[Request]) -> torch.Tensor:
        config = kind(stop=0.2, emphasis=emphasis, **chosen)
        return config.build(backbone, SAMPLER).draw(requests)

    told = [dataclasses.replace(r, weights=np.where(r.sketch, 8.0, 1.0)) for r in asked()]
    torch.testing.assert_close(drawn(8.0, asked()), drawn(None, told), atol=1e-4, rtol=0)
    assert (drawn(8.0, asked()) - drawn(None, asked())).abs().max() > 1e-3
    torch.testing.assert_close(drawn(1.0, asked()), drawn(None, asked()), atol=1e-4, rtol=0)


def test_a_sampler_that_draws_noise_takes_it_from_the_items_seed(backbone: Backbone) -> None:
    method = UnguidedConfig().build(backbone, SamplerSettings(steps=3, scheduler="ddpm"))
    both = method.draw(asked())
    alone = method.draw(asked()[1:])
    torch.testing.assert_close(both[1:], alone, atol=1e-4, rtol=0)


def test_the_predictors_weights_are_named(backbone: Backbone, predictor_folder: Path) -> None:
    weights = lep(backbone, predictor_folder).weights
    assert list(weights) == ["predictor/predictor.safetensors"]


def test_a_missing_predictor_is_one_line(backbone: Backbone, tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="no-such"):
        LepConfig(predictor=str(tmp_path / "no-such")).build(backbone, SAMPLER)


def test_an_items_negative_prompt_overrides_the_samplers(backbone: Backbone) -> None:
    sampler = SAMPLER.model_copy(update={"negative_prompt": "dull"})
    dull = UnguidedConfig().build(backbone, sampler)
    plain = UnguidedConfig().build(backbone, SAMPLER)
    own = [
        dataclasses.replace(request, negative_prompt=text)
        for request, text in zip(asked(), (None, ""), strict=True)
    ]
    drawn = dull.draw(own)
    torch.testing.assert_close(drawn[0], dull.draw(asked()[:1])[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(drawn[1], plain.draw(asked()[1:])[0], atol=1e-5, rtol=0)
    assert (drawn[0] - plain.draw(asked()[:1])[0]).abs().max() > 1e-3
    grey = [dataclasses.replace(request, negative_prompt="dull") for request in asked()]
    assert torch.equal(plain.draw(grey), dull.draw(asked()))


def test_a_negative_prompt_that_nothing_reads_is_refused_in_advance(backbone: Backbone) -> None:
    sampler = SAMPLER.model_copy(update={"negative_prompt": "dull", "guidance_scale": 1.0})
    with pytest.raises(LepbenchError, match=r"guidance_scale 1.0 has no unconditional pass"):
        check_drawing(backbone, sampler, (64, 64))
    check_drawing(backbone, SAMPLER.model_copy(update={"negative_prompt": "dull"}), (64, 64))
