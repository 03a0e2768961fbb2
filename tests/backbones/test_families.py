"""What is particular to each family: where features lie, how latents are noised, which files are read."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from diffusers import FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel
from safetensors.torch import load_file, save_file
from tiny_pipelines import BUILDERS, save_tiny

from lepbench.backbones import load_backbone
from lepbench.backbones.load import Precision
from lepbench.backbones.survey import measure_tap_shapes
from lepbench.errors import LepbenchError

TRANSFORMERS = ("sd3", "sd35", "flux-dev", "pixart-sigma", "sana", "z-image", "qwen-image", "flux2-klein")
EMBEDDERS = {
    "flux-dev": "x_embedder",
    "sana": "patch_embed",
    "z-image": "layers[0]",
    "qwen-image": "img_in",
    "flux2-klein": "x_embedder",
}
"""What makes tokens of the latent, where it is not `pos_embed`."""
BEHIND = {
    "sd-v": ["up_blocks.3", "conv_out"],
    "lcm": ["up_blocks.3", "conv_out"],
    "sdxl": ["conv_out"],
    "z-image": ["all_final_layer.2-1"],
}
"""What runs behind the last tap; of transformers the head alone does."""


@pytest.mark.slow
@pytest.mark.parametrize("name", list(BUILDERS))
def test_features_are_maps_that_hang_on_the_latent(name: str, tiny_folder_of: Callable[[str], Path]) -> None:
    backbone = load_backbone(tiny_folder_of(name))
    latents = torch.randn(2, 4, 8, 24, requires_grad=True)
    conditioning = backbone.encode_prompts(["a red fish", "x"])
    predicted, features = backbone.read(latents, 700, conditioning, backbone.taps)
    assert predicted.shape == latents.shape
    shapes = measure_tap_shapes(backbone.family, backbone.denoiser.config, (8, 24))
    assert [tuple(shape) for shape in shapes] == [(name, *f.shape[1:]) for name, f in features.items()]
    assert {shape.name: shape.channels for shape in shapes} == backbone.tap_channels
    for position, feature in features.items():
        (gradient,) = torch.autograd.grad(feature[0].sum(), latents, retain_graph=True)
        assert gradient[0].abs().sum() > 0, position
        assert not gradient[1].any(), position


@pytest.mark.parametrize("name", list(BUILDERS))
def test_features_alone_are_the_same_and_nothing_behind_the_last_is_run(
    name: str, tiny_folder_of: Callable[[str], Path]
) -> None:
    backbone = load_backbone(tiny_folder_of(name))
    behind = [backbone.denoiser.get_submodule(path) for path in BEHIND.get(name, ["proj_out"])]
    called: list[Any] = []
    handles = [module.register_forward_hook(lambda module, *_: called.append(module)) for module in behind]
    asked = (torch.randn(2, 4, 8, 24), 700, backbone.encode_prompts(["a red fish", "x"]), backbone.taps)
    with torch.no_grad():
        alone = backbone.features(*asked)
        assert not called
        _, beside = backbone.read(*asked)
    assert called == behind
    for handle in handles:
        handle.remove()
    assert tuple(alone) == backbone.taps
    assert all(torch.equal(alone[position], beside[position]) for position in backbone.taps)
    assert not any(module._forward_hooks for module in backbone.denoiser.modules())


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_token_lies_where_its_patch_does(name: str, tiny_folder_of: Callable[[str], Path]) -> None:
    backbone = load_backbone(tiny_folder_of(name))
    conditioning, embedder = backbone.encode_prompts(["x"]), EMBEDDERS.get(name, "pos_embed")
    latents = torch.randn(1, 4, 8, 24)
    changed = latents.clone()
    changed[:, :, 5, 18] += 1
    with torch.no_grad():
        maps = [backbone.read(z, 700, conditioning, [embedder])[1][embedder] for z in (latents, changed)]
    moved = (maps[0] - maps[1]).abs().amax(dim=1)[0]
    side = 1 if name in ("sana", "flux2-klein") else 2
    assert moved.shape == (8 // side, 24 // side)
    assert (moved == moved.max()).nonzero().tolist() == [[5 // side, 18 // side]]
    # In a block the others follow.
    assert (moved > 1e-6).sum() == (moved.numel() if name == "z-image" else 1)


@pytest.mark.parametrize("name", list(BUILDERS))
def test_the_map_of_one_sample_leads_back_through_a_batch_norm(
    name: str, tiny_folder_of: Callable[[str], Path]
) -> None:
    backbone = load_backbone(tiny_folder_of(name))
    with torch.no_grad():
        conditioning = backbone.encode_prompts(["x"])
        maps = backbone.features(torch.randn(1, 4, 8, 24), 700, conditioning, backbone.taps)
    for position, found in maps.items():
        feature, weights = found.requires_grad_(), torch.randn(found.shape)
        mean, variance = torch.randn(found.shape[1]), 0.5 + torch.rand(found.shape[1])
        normed = F.batch_norm(feature, mean, variance)
        (gradient,) = torch.autograd.grad(normed, feature, weights)
        expected = weights / (variance + 1e-5).sqrt()[:, None, None]
        assert torch.allclose(gradient, expected, atol=1e-5), position


@pytest.mark.parametrize("name", ["sd3", "sd35", "flux-dev", "qwen-image", "flux2-klein"])
def test_text_tokens_are_left_out(name: str, tiny_folder_of: Callable[[str], Path]) -> None:
    backbone = load_backbone(tiny_folder_of(name))
    last = backbone.taps[-1]
    seen: list[torch.Tensor] = []
    handle = backbone.denoiser.norm_out.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        with torch.no_grad():
            conditioning = backbone.encode_prompts(["x"])
            _, features = backbone.read(torch.randn(1, 4, 8, 24), 700, conditioning, [last])
    finally:
        handle.remove()
    # The head reads the picture's tokens alone, and nothing comes between the last block and the head.
    assert torch.equal(features[last].flatten(2).transpose(1, 2), seen[0])


def test_a_flow_is_noised_as_its_scheduler_does_it(tiny_folder_of: Callable[[str], Path]) -> None:
    backbone = load_backbone(tiny_folder_of("sd3"))
    latents, noise, when = torch.randn(3, 4, 8, 8), torch.randn(3, 4, 8, 8), torch.tensor([1, 400, 1000])
    expected = FlowMatchEulerDiscreteScheduler().scale_noise(latents, when.float(), noise)
    assert torch.allclose(backbone.noised(latents, noise, when), expected, atol=1e-6)


def test_the_size_of_the_picture_is_told_where_a_model_asks(tiny_folder_of: Callable[[str], Path]) -> None:
    seen: dict[str, Any] = {}
    backbone = load_backbone(tiny_folder_of("sdxl"))
    handle = backbone.denoiser.register_forward_pre_hook(
        lambda _, inputs, named: seen.update(named), with_kwargs=True
    )
    try:
        backbone.predict(torch.randn(2, 4, 8, 24), 7, backbone.encode_prompts(["a", "b"]))
    finally:
        handle.remove()
    assert seen["added_cond_kwargs"]["time_ids"].tolist() == [[32, 96, 0, 0, 32, 96]] * 2


def test_sizes_a_family_cannot_draw(tiny_folder_of: Callable[[str], Path]) -> None:
    backbone = load_backbone(tiny_folder_of("sd3"))
    assert backbone.latent_shape((64, 8)) == (4, 16, 2)
    with pytest.raises(LepbenchError, match="multiples of 8 px"):
        backbone.latent_shape((64, 12))
    with pytest.raises(LepbenchError, match="sides of at most 192 px"):
        backbone.latent_shape((64, 200))


def test_only_an_optional_part_may_be_left_out(tiny_folder_of: Callable[[str], Path], tmp_path: Path) -> None:
    assert set(load_backbone(tiny_folder_of("sd3-without-t5")).text.encoders) == {
        "text_encoder",
        "text_encoder_2",
    }
    hashed = load_backbone(tiny_folder_of("sd3-without-t5")).files_sha256
    assert not any("_3/" in name for name in hashed)
    assert "tokenizer_2/tokenizer.json" in hashed
    folder = Path(shutil.copytree(tiny_folder_of("sdxl"), tmp_path / "sdxl"))
    shutil.rmtree(folder / "text_encoder_2")
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"text_encoder_2": [None, None]}))
    with pytest.raises(LepbenchError, match=r"missing file .*text_encoder_2"):
        load_backbone(folder)


@pytest.mark.parametrize("key", ["latents_mean", "latents_std"])
def test_latents_of_normalised_channels_are_refused(
    key: str, tiny_folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_folder_of("sdxl"), tmp_path / "sdxl"))
    path = folder / "vae" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: [-1.6, 1.7, 0.7, 0.2]}))
    with pytest.raises(LepbenchError, match=rf"vae/config.json has {key}: .*; use a model of the same class"):
        load_backbone(folder)


def test_a_schedule_without_betas_is_refused(tiny_folder_of: Callable[[str], Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_folder_of("sdxl"), tmp_path / "sdxl"))
    path = folder / "scheduler" / "scheduler_config.json"
    config = json.loads(path.read_text()) | {"sigma_data": 0.5}
    path.write_text(json.dumps(config))
    assert load_backbone(folder).scheduler == config
    path.write_text(json.dumps({key: value for key, value in config.items() if "beta" not in key}))
    with pytest.raises(LepbenchError, match=r"scheduler_config.json is a schedule of EDM"):
        load_backbone(folder)


def test_half_precision_is_read_for_want_of_the_full(
    tiny_folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = save_tiny("flux-schnell", tmp_path / "flux", variant="fp16")
    whole = load_backbone(tiny_folder_of("flux-schnell"))
    half = load_backbone(folder)
    assert "transformer/diffusion_pytorch_model.fp16.safetensors" in half.files_sha256
    assert "text_encoder_2/model.fp16.safetensors" in half.files_sha256
    for mine, theirs in zip(half.denoiser.parameters(), whole.denoiser.parameters(), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", list(BUILDERS))
def test_every_weight_of_the_denoiser_has_the_precision_asked_for(
    name: str, precision: Precision, tiny_folder_of: Callable[[str], Path]
) -> None:
    backbone = load_backbone(tiny_folder_of(name), precision=precision)
    assert {parameter.dtype for parameter in backbone.denoiser.parameters()} == {getattr(torch, precision)}


def test_the_precision_reaches_a_diffusers_that_knows_its_older_name_alone(
    tiny_folder_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    present = FluxTransformer2DModel.from_pretrained

    def older(folder: Path, dtype: object = None, **options: Any) -> Any:
        return present(folder, **options)

    monkeypatch.setattr(FluxTransformer2DModel, "from_pretrained", older)
    assert load_backbone(tiny_folder_of("flux-dev"), precision="bfloat16").denoiser.dtype == torch.bfloat16


@pytest.mark.parametrize("variant", [None, "fp16"])
def test_weights_in_shards_are_read_and_hashed(
    variant: str | None, tiny_folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = save_tiny("flux-schnell", tmp_path / "flux", max_shard_size="40KB", variant=variant)
    backbone = load_backbone(folder)
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(backbone.files_sha256) == present
    shards = [name for name in present if re.fullmatch(r"transformer/.*safetensors", name)]
    assert len(shards) > 1
    whole = load_backbone(tiny_folder_of("flux-schnell"))
    for mine, theirs in zip(backbone.denoiser.parameters(), whole.denoiser.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    (folder / shards[0]).unlink()
    with pytest.raises(LepbenchError, match="transformer cannot be loaded"):
        load_backbone(folder)


@pytest.mark.parametrize("part", ["transformer", "text_encoder_2"])
def test_shards_that_lack_what_their_index_names_are_refused(part: str, tmp_path: Path) -> None:
    folder = save_tiny("flux-schnell", tmp_path / "flux", max_shard_size="20KB")
    (index,) = (folder / part).glob("*.index.json")
    name, shard = sorted(json.loads(index.read_text())["weight_map"].items())[0]
    weights = load_file(folder / part / shard)
    del weights[name]
    save_file(weights, folder / part / shard, {"format": "pt"})
    with pytest.raises(LepbenchError, match=rf"{part}.* lacks 1 weights of its config, first '{name}'"):
        load_backbone(folder)
