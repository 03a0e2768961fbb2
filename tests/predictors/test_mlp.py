from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from lepbench.backbones import Backbone
from lepbench.errors import LepbenchError
from lepbench.predictors import PREDICTORS, MlpConfig, MlpPredictor, Predictor
from lepbench.predictors.base import describe_architecture


def make(
    channels: list[int], hidden: tuple[int, ...] = (12, 8), seed: int = 0, time: str = "scalar"
) -> MlpPredictor:
    """A predictor in eval mode whose BatchNorms have seen something."""
    torch.manual_seed(seed)
    taps = {f"tap{i}": count for i, count in enumerate(channels)}
    predictor = MlpPredictor(
        MlpConfig(taps=taps, out_channels=4, train_timesteps=1000, hidden=hidden, time=time)
    )
    for module in predictor.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.get_buffer("running_mean").normal_()
            module.get_buffer("running_var").uniform_(0.5, 3)
            if module.affine:
                module.weight.data.normal_()
                module.bias.data.normal_()
    return predictor.eval()


def features_of(
    predictor: Predictor, batch: int, sides: list[int] | list[tuple[int, int]]
) -> dict[str, torch.Tensor]:
    """Random activations; a side is a square's, or height and width."""
    shapes = [(side, side) if isinstance(side, int) else side for side in sides]
    taps = predictor.config.taps.items()
    return {
        name: torch.randn(batch, count, *shape) for (name, count), shape in zip(taps, shapes, strict=True)
    }


def concatenated(
    predictor: MlpPredictor,
    features: dict[str, torch.Tensor],
    timesteps: torch.Tensor,
    size: tuple[int, int],
    noise: torch.Tensor | None = None,
) -> torch.Tensor:
    """The predictor as papers draw it: resize, concatenate, then linear layers pixel by pixel."""
    columns = []
    for name, norm in zip(predictor.config.taps, predictor.standardise, strict=True):
        assert isinstance(norm, torch.nn.BatchNorm2d)
        mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
        feature = (features[name] - mean[:, None, None]) / (variance[:, None, None] + norm.eps).sqrt()
        columns.append(F.interpolate(feature, size=size, mode="bilinear", align_corners=False))
    if noise is None:
        columns.append((timesteps / 1000)[:, None, None, None].expand(-1, 1, *size))
    else:
        columns += [noise, *(torch.sin(noise * 2 * math.pi / period) for period in [2**k for k in range(9)])]
    x = torch.cat(columns, dim=1).permute(0, 2, 3, 1)
    weight = torch.cat(
        [part.get_parameter("weight").flatten(1) for part in predictor.slices]
        + [predictor.time.weight.flatten(1)],
        dim=1,
    )
    x = F.linear(x, weight, predictor.time.bias)
    for layer in predictor.rest:
        if isinstance(layer, torch.nn.Conv2d):
            x = F.linear(x, layer.weight[:, :, 0, 0], layer.bias)
        elif isinstance(layer, torch.nn.BatchNorm2d):
            x = F.batch_norm(
                x.permute(0, 3, 1, 2), layer.running_mean, layer.running_var, layer.weight, layer.bias
            ).permute(0, 2, 3, 1)
        else:
            x = x.clamp_min(0)
    return x.permute(0, 3, 1, 2)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 7), st.tuples(*[st.sampled_from([1, 2, 3, 4, 8, 12, 16])] * 2)),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 3),
    st.sampled_from([(8, 8), (4, 12), (5, 3)]),
    st.sampled_from(["scalar", "noise-map"]),
)
def test_equals_the_concatenated_form_and_so_does_its_gradient(
    taps: list[tuple[int, tuple[int, int]]], batch: int, size: tuple[int, int], time: str
) -> None:
    predictor = make([count for count, _ in taps], time=time)
    features = features_of(predictor, batch, [shape for _, shape in taps])
    noise = torch.randn(batch, 4, *size) if time == "noise-map" else None
    for feature in features.values():
        feature.requires_grad_()
    timesteps = torch.randint(1000, (batch,))
    ours = predictor(features, timesteps, size, noise)
    reference = concatenated(predictor, features, timesteps, size, noise)
    assert ours.shape == (batch, 4, *size)
    assert torch.allclose(ours, reference, atol=1e-4, rtol=1e-4)
    weights = torch.randn_like(ours)
    mine = torch.autograd.grad((ours * weights).sum(), list(features.values()))
    theirs = torch.autograd.grad((reference * weights).sum(), list(features.values()))
    for a, b in zip(mine, theirs, strict=True):
        assert torch.allclose(a, b, atol=1e-4, rtol=1e-3)


def concatenating(
    predictor: MlpPredictor, features: dict[str, torch.Tensor], timesteps: torch.Tensor, size: tuple[int, int]
) -> torch.Tensor:
    """The concatenated form out of the same operations, for a fair count of memory."""
    columns = [
        F.interpolate(norm(features[name]), size=size, mode="bilinear")
        for name, norm in zip(predictor.config.taps, predictor.standardise, strict=True)
    ]
    columns.append((timesteps / 1000)[:, None, None, None].expand(-1, 1, *size))
    weights = [part.get_parameter("weight") for part in predictor.slices] + [
        predictor.time.weight[:, :, None, None]
    ]
    return predictor.rest(F.conv2d(torch.cat(columns, 1), torch.cat(weights, 1), predictor.time.bias))


def saved_bytes(
    form: Callable[..., torch.Tensor],
    predictor: MlpPredictor,
    features: dict[str, torch.Tensor],
    size: tuple[int, int],
) -> int:
    """Memory kept for the backward pass beside weights and features, each storage counted once."""
    storages = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        result = form(features, torch.tensor([500]), size)
    assert result.requires_grad
    known = [*features.values(), *predictor.parameters()]
    owned = {tensor.untyped_storage().data_ptr() for tensor in known}
    return sum(count for place, count in storages.items() if place not in owned)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("size", [(16, 16), (8, 24)])
def test_keeps_less_for_the_backward_pass(size: tuple[int, int], training: bool) -> None:
    # Stable Diffusion's channels and resolutions, a tenth as wide.
    channels, parts = [32, 64, 128, 128, 128, 128, 128, 128, 64], [1, 2, 4, 8, 8, 8, 4, 4, 1]
    predictor = make(channels).requires_grad_(training)
    features = features_of(predictor, 1, [(size[0] // part, size[1] // part) for part in parts])
    for feature in features.values():
        feature.requires_grad_(not training)
    ours = saved_bytes(predictor, predictor, features, size)
    theirs = saved_bytes(lambda *inputs: concatenating(predictor, *inputs), predictor, features, size)
    assert ours < theirs / 2


def test_the_noise_map_is_forty_inputs_and_must_be_given() -> None:
    scalar, mapped = make([3]), make([3], time="noise-map")
    assert (scalar.reads_noise, mapped.reads_noise) == (False, True)
    assert tuple(mapped.time.weight.shape) == (12, 40, 1, 1)
    with pytest.raises(ValueError, match="pass 'noise'"):
        mapped({"tap0": torch.randn(1, 3, 8, 8)}, torch.tensor([1]), (8, 8))


def test_is_applied_pixel_by_pixel() -> None:
    predictor = make([3, 5])
    features = features_of(predictor, 2, [8, 8])
    order = torch.randperm(64)
    shuffled = {name: f.flatten(2)[..., order].unflatten(2, (8, 8)) for name, f in features.items()}
    timesteps = torch.tensor([10, 900])
    straight = predictor(features, timesteps, (8, 8)).flatten(2)[..., order]
    assert torch.allclose(predictor(shuffled, timesteps, (8, 8)).flatten(2), straight, atol=1e-5)


def test_samples_of_a_batch_do_not_mix_and_time_matters() -> None:
    predictor = make([3, 5])
    features = features_of(predictor, 3, [8, 4])
    timesteps = torch.tensor([10, 500, 900])
    together = predictor(features, timesteps, (8, 8))
    for i in range(3):
        alone = predictor({name: f[i : i + 1] for name, f in features.items()}, timesteps[i : i + 1], (8, 8))
        assert torch.allclose(together[i : i + 1], alone, atol=1e-5)
    assert not torch.allclose(predictor(features, timesteps.flip(0), (8, 8)), together)


def test_the_papers_shape_has_the_papers_layers() -> None:
    hidden = (512, 256, 128, 64)
    predictor = make([9280], hidden)
    widths = [9280 + 1, *hidden, 4]
    linear = sum((a + 1) * b for a, b in pairwise(widths))
    norms = sum(2 * width for width in hidden)
    assert sum(p.numel() for p in predictor.parameters()) == linear + norms
    kinds = [type(layer).__name__ for layer in predictor.rest]
    assert kinds == ["ReLU", "BatchNorm2d", "Conv2d"] * 4


def test_saves_and_loads_to_the_same_function(tmp_path: Path) -> None:
    predictor = make([3, 5])
    predictor.save_pretrained(tmp_path / "lep")
    loaded = Predictor.from_pretrained(tmp_path / "lep")
    assert loaded.config == predictor.config
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    features, timesteps = features_of(predictor, 2, [8, 4]), torch.tensor([1, 2])
    assert torch.equal(loaded(features, timesteps, (8, 8)), predictor(features, timesteps, (8, 8)))
    assert list(loaded.weights_sha256()) == ["predictor.safetensors"]
    assert sorted(path.name for path in (tmp_path / "lep").iterdir()) == [
        "README.md",
        "config.json",
        "predictor.safetensors",
    ]


def test_a_backbone_it_does_not_fit_is_refused_in_one_line(tiny_backbone: Backbone, tmp_path: Path) -> None:
    taps = dict(tiny_backbone.tap_channels)
    fitting = MlpPredictor(MlpConfig(taps=taps, out_channels=4, train_timesteps=1000))
    fitting.save_pretrained(tmp_path / "fits")
    Predictor.from_pretrained(tmp_path / "fits", tiny_backbone)

    network = describe_architecture(tiny_backbone)
    config = MlpConfig(taps=taps, out_channels=4, train_timesteps=1000, network=network)
    MlpPredictor(config).save_pretrained(tmp_path / "same")
    Predictor.from_pretrained(tmp_path / "same", tiny_backbone)
    another = config.model_copy(update={"network": network | {"cross_attention_dim": 48}})
    MlpPredictor(another).save_pretrained(tmp_path / "another")
    with pytest.raises(LepbenchError, match=r"of cross_attention_dim 48, and that of .* has 32; use"):
        Predictor.from_pretrained(tmp_path / "another", tiny_backbone)

    wider = taps | {"mid_block.resnets[0]": 160}
    MlpPredictor(MlpConfig(taps=wider, out_channels=4, train_timesteps=1000)).save_pretrained(
        tmp_path / "wide"
    )
    with pytest.raises(LepbenchError, match=r"reads 160 channels at mid_block.resnets\[0\] where .* has 64;"):
        Predictor.from_pretrained(tmp_path / "wide", tiny_backbone)

    MlpPredictor(MlpConfig(taps={"up_blocks[3]": 8}, out_channels=4, train_timesteps=1000)).save_pretrained(
        tmp_path / "elsewhere"
    )
    with pytest.raises(LepbenchError, match=r"up_blocks\[3\] where .* has no tap"):
        Predictor.from_pretrained(tmp_path / "elsewhere", tiny_backbone)

    MlpPredictor(MlpConfig(taps=taps, out_channels=16, train_timesteps=1000)).save_pretrained(
        tmp_path / "deep"
    )
    with pytest.raises(LepbenchError, match="makes 16 latent channels"):
        Predictor.from_pretrained(tmp_path / "deep", tiny_backbone)


def test_damage_is_told_in_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "lep"
    make([3]).save_pretrained(folder)
    config, weights = folder / "config.json", folder / "predictor.safetensors"
    whole = weights.read_bytes()

    weights.write_bytes(whole[:-10])
    with pytest.raises(LepbenchError, match=r"predictor.safetensors is no safetensors file") as caught:
        Predictor.from_pretrained(folder)
    assert "\n" not in str(caught.value)
    weights.unlink()
    with pytest.raises(LepbenchError, match=r"missing weight file .*predictor.safetensors"):
        Predictor.from_pretrained(folder)

    document = json.loads(config.read_text())
    config.write_text(json.dumps(document | {"hiden": [3]}))
    with pytest.raises(LepbenchError, match="unknown key 'hiden'; did you mean 'hidden'"):
        Predictor.from_pretrained(folder)
    config.write_text(json.dumps(document | {"name": "mpl"}))
    with pytest.raises(LepbenchError, match="unknown predictor 'mpl'; did you mean 'mlp'"):
        Predictor.from_pretrained(folder)
    config.write_text(json.dumps({"_class_name": "ControlNetModel"}))
    with pytest.raises(LepbenchError, match="holds a ControlNetModel of diffusers, and no predictor"):
        Predictor.from_pretrained(folder)
    config.write_text("[]")
    with pytest.raises(LepbenchError, match="holds no predictor's config"):
        Predictor.from_pretrained(folder)
    config.unlink()
    with pytest.raises(LepbenchError, match=r"cannot read .*config.json"):
        Predictor.from_pretrained(folder)


def test_the_registry_knows_it() -> None:
    assert PREDICTORS.get("mlp") is MlpPredictor
