from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lepbench.config import load_config
from lepbench.errors import LepbenchError
from lepbench.predictors import PREDICTORS, Predictor
from lepbench.predictors.options import select_options
from lepbench.predictors.train_config import TrainConfig

TAPS = {"a": 6, "b": 10, "c": 4}
SMALL: dict[str, dict[str, Any]] = {
    "mlp": {"hidden": [12, 8]},
    "aggregated": {"width": 16},
    "unet": {"bottleneck": 8, "widths": [8, 16]},
}


def make(name: str, seed: int = 0) -> Predictor:
    kind = PREDICTORS.get(name)
    config = kind.config_kind.model_validate(
        {"name": name, "taps": TAPS, "out_channels": 4, "train_timesteps": 1000, **SMALL[name]}
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return kind(config).eval()


def features_of(batch: int, height: int, width: int) -> dict[str, Tensor]:
    source = torch.Generator().manual_seed(1)
    sizes = {"a": (height, width), "b": (height // 2, width // 2), "c": (height // 4, width // 4)}
    return {name: torch.randn(batch, TAPS[name], *size, generator=source) for name, size in sizes.items()}


def test_every_registered_kind_is_tried_here() -> None:
    assert list(PREDICTORS) == sorted(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_saves_and_loads_to_the_same_bits(name: str, tmp_path: Path) -> None:
    predictor = make(name)
    predictor.save_pretrained(tmp_path)
    loaded = Predictor.from_pretrained(tmp_path)
    features, when = features_of(2, 8, 8), torch.tensor([1, 999])
    assert type(loaded) is type(predictor)
    assert loaded.config == predictor.config
    assert torch.equal(loaded(features, when, (8, 8)), predictor(features, when, (8, 8)))


@pytest.mark.parametrize("name", SMALL)
def test_weights_follow_from_the_seed(name: str) -> None:
    first, again, other = (make(name, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("size", [(8, 8), (4, 12), (7, 5)])
@pytest.mark.parametrize("name", SMALL)
def test_any_size_and_every_tap_counts(name: str, size: tuple[int, int]) -> None:
    predictor = make(name)
    features = features_of(2, *size)
    for feature in features.values():
        feature.requires_grad_()
    out = predictor(features, torch.tensor([10, 900]), size)
    assert out.shape == (2, 4, *size)
    for gradient in torch.autograd.grad(out.square().sum(), list(features.values())):
        assert gradient.abs().sum() > 0


@pytest.mark.parametrize("name", SMALL)
def test_samples_do_not_mix_and_time_matters(name: str) -> None:
    predictor = make(name)
    features, when = features_of(3, 8, 8), torch.tensor([10, 500, 900])
    together = predictor(features, when, (8, 8))
    for i in range(3):
        alone = predictor({key: f[i : i + 1] for key, f in features.items()}, when[i : i + 1], (8, 8))
        assert torch.allclose(together[i : i + 1], alone, atol=1e-5)
    assert not torch.allclose(predictor(features, when.flip(0), (8, 8)), together, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_learns_what_the_taps_hold(name: str) -> None:
    # The target is one tap's activations: a few steps must explain most of it.
    predictor = make(name).train()
    optimiser = torch.optim.Adam(predictor.parameters(), lr=1e-2)
    features, when = features_of(8, 8, 8), torch.full((8,), 100)
    target = features["a"][:, :4]
    for _ in range(60):
        loss = (predictor(features, when, (8, 8)) - target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.5 * target.var()


def test_the_aggregate_is_the_mixture_it_says() -> None:
    predictor = make("aggregated")
    mixing = predictor.get_parameter("mixing")
    features, when = features_of(1, 8, 8), torch.tensor([3])
    with torch.no_grad():
        mixing.copy_(torch.tensor([40.0, 0.0, 0.0]))
        alone = predictor(features, when, (8, 8))
        features["b"] = features["b"] + 5
        features["c"] = features["c"] - 5
        assert torch.allclose(predictor(features, when, (8, 8)), alone, atol=1e-5)
        mixing.zero_()
        assert not torch.allclose(predictor(features, when, (8, 8)), alone, atol=1e-2)


def test_a_recipe_takes_any_kind_and_no_key_it_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    for name in PREDICTORS:
        path.write_text(f"data: triplets\npredictor: {name}\n")
        config = load_config(path, TrainConfig)
        assert type(config.predictor) is PREDICTORS.get(name).options_kind
        written = config.model_dump(mode="json")["predictor"]
        assert select_options(written) == config.predictor
    for text, message in {
        "{name: unet, width: [3]}": "unknown key 'predictor.width'; did you mean 'widths'?",
        "mpl": "unknown predictor 'mpl'; did you mean 'mlp'?",
        "[1]": "predictor must be a name, or keys with values, not [1]; choose one of: aggregated, mlp, unet",
        "{time: noise}": "predictor.time must be 'scalar' or 'noise-map', not 'noise'",
    }.items():
        path.write_text(f"data: triplets\npredictor: {text}\n")
        with pytest.raises(LepbenchError) as caught:
            load_config(path, TrainConfig)
        assert message in str(caught.value)
