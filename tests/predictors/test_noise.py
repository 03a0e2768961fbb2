from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler
from torch import Tensor

from lepbench.backbones import Backbone, Conditioning
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.gradient import compute_edge_gradient
from lepbench.predictors import MlpConfig, MlpPredictor
from lepbench.predictors.features import NoisyFeatures
from lepbench.predictors.noise import noise_component
from lepbench.seeds import draw_noise

SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
}


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_a_perfect_model_of_any_prediction_type_gives_the_noise_itself(kind: str) -> None:
    peer = DDPMScheduler(**SCHEDULE)
    clean, drawn = torch.randn(4, 4, 8, 8), torch.randn(4, 4, 8, 8)
    when = torch.tensor([0, 300, 700, 999])
    noisy = peer.add_noise(clean, drawn, when)
    output = {"epsilon": drawn, "v_prediction": peer.get_velocity(clean, drawn, when), "sample": clean}[kind]
    found = noise_component({**SCHEDULE, "prediction_type": kind}, output, noisy, when)
    assert torch.allclose(
        found, noisy - peer.alphas_cumprod[when].sqrt()[:, None, None, None] * clean, atol=1e-5
    )


def test_a_flow_has_its_own_forward_process() -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler

    peer = FlowMatchEulerDiscreteScheduler()
    clean, drawn = torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8)
    when = peer.timesteps[[100, 900]]
    noisy = peer.scale_noise(clean, when, drawn)
    found = noise_component(dict(peer.config), drawn - clean, noisy, when, flow=True)
    assert torch.allclose(found, (when / 1000)[:, None, None, None] * drawn, atol=1e-5)


def test_between_two_timesteps_it_lies_between() -> None:
    output = torch.ones(1, 1, 1, 1)
    at = [float(noise_component(SCHEDULE, output, output, torch.tensor(t))) for t in (500.0, 500.25, 501.0)]
    assert at[0] < at[1] < at[2]
    assert at[1] == pytest.approx(0.75 * at[0] + 0.25 * at[2], abs=1e-5)
    assert at[0] == float(noise_component(SCHEDULE, output, output, torch.tensor(500)))


def test_what_it_cannot_read_is_one_line() -> None:
    output = torch.ones(1, 1, 1, 1)
    with pytest.raises(LepbenchError, match="prediction type 'flow'; choose 'time: scalar'"):
        noise_component({**SCHEDULE, "prediction_type": "flow"}, output, output, torch.tensor(1))


class Listening(MlpPredictor):
    """Keeps every noise it reads."""

    def forward(
        self,
        features: Mapping[str, Tensor],
        timesteps: Tensor,
        size: tuple[int, int],
        noise: Tensor | None = None,
    ) -> Tensor:
        self.noises = [*getattr(self, "noises", []), noise]
        return super().forward(features, timesteps, size, noise)


@pytest.fixture
def listening(tiny_backbone: Backbone) -> Listening:
    config = MlpConfig(
        taps=tiny_backbone.tap_channels, out_channels=4, train_timesteps=1000, hidden=(8,), time="noise-map"
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Listening(config).requires_grad_(False).eval()


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_training_tells_what_the_model_predicts_there_and_then(
    kind: str, tiny_backbone: Backbone, listening: Listening
) -> None:
    backbone = dataclasses.replace(
        tiny_backbone, scheduler={**tiny_backbone.scheduler, "prediction_type": kind}
    )
    latents, drawn = torch.randn(2, 4, 16, 16), torch.randn(2, 4, 16, 16)
    when, conditioning = torch.tensor([20, 800]), Conditioning({"embeddings": torch.randn(2, 32, 32)})
    NoisyFeatures(backbone, listening).predict(latents, drawn, when, conditioning)
    peer = DDIMScheduler.from_config(dict(backbone.scheduler), prediction_type=kind)
    noisy = peer.add_noise(latents, drawn, when)
    with torch.no_grad():
        output = backbone.predict(noisy, when, conditioning)
    for i, t in enumerate(when.tolist()):
        # DDIM's own clean picture; what is left of z_t without it is the noise.
        peer.set_timesteps(1000)
        clean = peer.step(output[i], t, noisy[i]).pred_original_sample
        expected = noisy[i] - peer.alphas_cumprod[t].sqrt() * clean
        assert torch.allclose(listening.noises[0][i], expected, atol=1e-4)


def test_sampling_tells_the_same_and_not_the_noise_it_began_with(
    tiny_backbone: Backbone, listening: Listening
) -> None:
    start = torch.stack([draw_noise(i, (4, 16, 16)) for i in range(2)])
    prompts, read = ["a red fish", "x"], []
    handle = tiny_backbone.denoiser.register_forward_hook(
        lambda module, inputs, output: read.append((inputs[0].detach(), inputs[1][0], output[0].detach()))
    )
    try:
        guidance = SketchGuidance(listening, torch.zeros_like(start), 1.6, 0.0)
        settings = SamplerSettings(steps=3, guidance_scale=1.0)
        sample(tiny_backbone, prompts, start, settings, guidance)
    finally:
        handle.remove()
    kept = DDPMScheduler.from_config(dict(tiny_backbone.scheduler)).alphas_cumprod
    assert len(listening.noises) == 3
    for conditioning, (_, timestep, output) in zip(listening.noises, read, strict=True):
        assert torch.allclose(conditioning, (1 - kept[int(timestep)]).sqrt() * output, atol=1e-5)
    share = (1 - kept[int(read[-1][1])]).sqrt()
    assert (listening.noises[-1] - share * start).abs().mean() > 0.2 * share


def test_the_gradient_runs_through_the_noise_map_too(tiny_backbone: Backbone, listening: Listening) -> None:
    # Of the features alone it would be another: the map depends on z_t as they do.
    with torch.no_grad():
        for part in listening.slices:
            part.get_parameter("weight").zero_()
    start = draw_noise(0, (4, 16, 16))[None]
    text = tiny_backbone.encode_prompts(["x"])
    target = torch.zeros_like(start)
    pull = compute_edge_gradient(tiny_backbone, start, torch.tensor(500), text, listening, target)
    assert pull.gradient.abs().max() > 0
