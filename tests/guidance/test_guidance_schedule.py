"""The course of guidance: a plan on paper, and what of it the sampler does."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.guidance_schedule import GuidanceSchedule, Repeats, Resampling
from lepbench.guidance.renoise import renoise_latents
from lepbench.guidance.schedulers import make_scheduler
from lepbench.predictors import MlpPredictor
from lepbench.seeds import make_generator

PROMPTS = ["a red fish", "two blue boats", "x"]
TRAVELLING = GuidanceSchedule(travel=Resampling(times=1, back=2, above=0.5))
EXAMPLE_TIMES = [0.9, 0.7, 0.5, 0.3, 0.1]


def sources() -> list[torch.Generator]:
    return [make_generator(100 + i) for i in range(3)]


def test_decay_goes_from_all_to_nothing() -> None:
    times = [1.0, 0.75, 0.5, 0.25 + 1e-9]
    cosine, linear, constant = (
        [GuidanceSchedule(decay=kind).strength(t, 0.25) for t in times]
        for kind in ("cosine", "linear", "constant")
    )
    assert linear == pytest.approx([1, 2 / 3, 1 / 3, 0], abs=1e-6)
    assert cosine == pytest.approx([1, 0.75, 0.25, 0], abs=1e-6)
    assert constant == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("travel", "order"),
    [
        (None, [0, 1, 2, 3, 4]),
        (Resampling(times=1, back=1, above=0.6), [0, 0, 1, 1, 2, 3, 4]),
        (Resampling(times=2, back=2, above=0.4), [0, 1, 0, 1, 0, 1, 2, 2, 2, 3, 4]),
        (Resampling(times=1, back=9, above=0.0), [0, 1, 2, 3, 0, 1, 2, 3, 4]),
        (Resampling(times=1, back=1, above=1.0), [0, 1, 2, 3, 4]),
    ],
)
def test_step_orders(travel: Resampling | None, order: list[int]) -> None:
    assert GuidanceSchedule(travel=travel).step_order(EXAMPLE_TIMES) == order


@given(st.integers(1, 30), st.integers(1, 3), st.integers(1, 5), st.floats(0, 1))
def test_every_step_is_done_and_none_is_skipped(steps: int, times: int, back: int, above: float) -> None:
    levels = [1 - i / steps for i in range(steps)]
    order = GuidanceSchedule(travel=Resampling(times=times, back=back, above=above)).step_order(levels)
    assert sorted(set(order)) == list(range(steps))
    assert order[0] == 0
    assert order[-1] == steps - 1
    for before, after in pairwise(order):
        assert after == before + 1 or (after <= before and before + 1 - after <= back)
    assert all(order.count(i) == 1 + times for i in range(steps - 1) if levels[i] > above)


def test_settings_are_closed() -> None:
    with pytest.raises(ValidationError):
        GuidanceSchedule(decay="slow")
    with pytest.raises(ValidationError):
        Repeats(times=1)
    with pytest.raises(ValidationError):
        Resampling(forward=1)  # type: ignore[call-arg]


def test_noise_put_back_gives_the_forward_process(tiny_backbone: Backbone) -> None:
    # x = 2 and much noise: mean and deviation at the earlier step are those of the forward process there.
    x, random = torch.full((1, 1, 200, 500), 2.0), torch.Generator().manual_seed(0)
    first, second = (torch.randn(x.shape, generator=random) for _ in range(2))
    now, then = torch.tensor(301), torch.tensor(501)
    z = tiny_backbone.noised(x, first, now.reshape(1))
    back = renoise_latents(tiny_backbone, z, now, then, second)
    expected = tiny_backbone.noised(x, first, then.reshape(1))
    assert float(back.mean()) == pytest.approx(float(expected.mean()), abs=0.01)
    assert float(back.std()) == pytest.approx(float(expected.std()), abs=0.01)
    assert torch.equal(renoise_latents(tiny_backbone, z, now, now, second), z)


class Passes:
    """Counts the samples that go through a network, at each timestep."""

    def __init__(self, network: torch.nn.Module) -> None:
        self.seen: list[tuple[int, int]] = []
        self.handle = network.register_forward_pre_hook(
            lambda module, inputs: self.seen.append((int(inputs[1][0]), len(inputs[0])))
        )

    def __enter__(self) -> Passes:
        return self

    def __exit__(self, *error: object) -> None:
        self.handle.remove()


def test_repeats_read_the_step_to_come(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    schedule = GuidanceSchedule(repeats=Repeats(times=3, above=0.6))
    with Passes(tiny_backbone.denoiser) as passes:
        sample(
            tiny_backbone,
            PROMPTS,
            start,
            SamplerSettings(steps=4),
            SketchGuidance(predictor, target, 0.5, 0.4, schedule=schedule),
        )
    # 751 is repeated, 501 guided once, 251 and 1 plain. Guided: captioned, empty; then the gradients anew.
    assert passes.seen == [(751, 3), (751, 3), (501, 3), (501, 3), (501, 3), (501, 3), (251, 6), (1, 6)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ddim", "euler", "unipc"])
def test_repeats_bring_the_edges_nearer_than_one_shift(
    name: str, tiny_backbone: Backbone, predictor: MlpPredictor, start: Tensor
) -> None:
    settings = SamplerSettings(steps=3, scheduler=name)
    reading = SketchGuidance(predictor, torch.zeros_like(start), 0.0, 0.0)
    wanted = sample(tiny_backbone, PROMPTS, start.flip(0), settings, reading).edges
    assert wanted is not None

    def distance(schedule: GuidanceSchedule) -> torch.Tensor:
        guidance = SketchGuidance(predictor, wanted, 0.3, 0.0, schedule=schedule)
        edges = sample(tiny_backbone, PROMPTS, start, settings, guidance).edges
        assert edges is not None
        return (edges - wanted).square().sum()

    assert distance(GuidanceSchedule(repeats=Repeats(times=4, above=0.0))) < distance(GuidanceSchedule())


def test_a_decayed_pull_is_a_weaker_pull(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    def moved(scale: float, schedule: GuidanceSchedule) -> torch.Tensor:
        # One step at t = 0.501 T: linear decay to a stop of 0.4 leaves 0.101 / 0.6 of the scale.
        scheduler = make_scheduler("ddim", tiny_backbone, 2)
        scheduler.timesteps = scheduler.timesteps[:1]
        guidance = SketchGuidance(predictor, target, scale, 0.4, schedule=schedule)
        return sample(tiny_backbone, PROMPTS, start, SamplerSettings(), guidance, scheduler=scheduler).latents

    weak = moved(1.2, GuidanceSchedule(decay="linear"))
    assert torch.allclose(weak, moved(1.2 * 0.101 / 0.6, GuidanceSchedule()), atol=1e-5)
    assert not torch.allclose(weak, moved(1.2, GuidanceSchedule()), atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ddim", "euler", "dpmpp", "unipc", "ddpm"])
def test_travel_does_steps_again_and_belongs_to_its_sample(
    name: str, tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    settings = SamplerSettings(steps=4, scheduler=name)

    def draw(rows: slice) -> torch.Tensor:
        guidance = SketchGuidance(predictor, target[rows], 0.5, 0.4, schedule=TRAVELLING)
        return sample(tiny_backbone, PROMPTS[rows], start[rows], settings, guidance, sources()[rows]).latents

    with Passes(tiny_backbone.denoiser) as passes:
        whole = draw(slice(None))
    times = [t for t, _ in passes.seen]
    assert any(later > earlier for earlier, later in pairwise(times))
    assert whole.isfinite().all()
    plain = sample(tiny_backbone, PROMPTS, start, settings, generators=sources()).latents
    assert whole.std() < 2 * plain.std()
    assert torch.allclose(draw(slice(1, 2)), whole[1:2], atol=1e-3, rtol=1e-3)


def test_steps_done_again_are_told(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    told: list[tuple[str, int, int]] = []
    guidance = SketchGuidance(predictor, target, 0.0, 0.9, schedule=TRAVELLING)
    sample(
        tiny_backbone,
        PROMPTS,
        start,
        SamplerSettings(steps=4, scheduler="dpmpp"),
        guidance,
        sources(),
        lambda *step: told.append(step),
    )
    assert told == [("denoising", i, 6) for i in range(1, 7)]


def test_travel_that_cannot_be_is_one_line(
    tiny_backbone: Backbone, predictor: MlpPredictor, target: Tensor, start: Tensor
) -> None:
    guidance = SketchGuidance(predictor, target, schedule=TRAVELLING)
    with pytest.raises(LepbenchError, match="'travel' draws noise for repeated steps; give one generator"):
        sample(tiny_backbone, PROMPTS, start, SamplerSettings(), guidance)
    with pytest.raises(LepbenchError, match="PNDMScheduler cannot repeat steps"):
        sample(tiny_backbone, PROMPTS, start, SamplerSettings(scheduler="pndm"), guidance, sources())
