from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline

from lepbench.backbones import Backbone, folder, load_backbone, vae_batches
from lepbench.errors import LepbenchError


@pytest.fixture(scope="module")
def stock(tiny_pipeline_folder: Path) -> StableDiffusionPipeline:
    from diffusers import StableDiffusionPipeline

    return StableDiffusionPipeline.from_pretrained(tiny_pipeline_folder, use_safetensors=True)


@pytest.fixture
def copy(tiny_pipeline_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_pipeline_folder, tmp_path / "model"))


def test_pictures_to_latents_as_diffusers_encodes_them(
    tiny_backbone: Backbone, stock: StableDiffusionPipeline
) -> None:
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        posterior = stock.vae.encode(stock.image_processor.preprocess(images)).latent_dist
        expected = posterior.mean * stock.vae.config.scaling_factor
    assert torch.allclose(tiny_backbone.encode_images(images), expected, atol=1e-5)


def test_latents_to_pictures_as_diffusers_decodes_them(
    tiny_backbone: Backbone, stock: StableDiffusionPipeline
) -> None:
    latents = torch.randn(35, 4, 16, 16)  # more than are decoded at once
    with torch.no_grad():
        raw = stock.vae.decode(latents / stock.vae.config.scaling_factor).sample
    expected = torch.from_numpy(stock.image_processor.postprocess(raw, output_type="np")).movedim(-1, 1)
    pictures = tiny_backbone.decode_latents(latents)
    assert pictures.shape == (35, 3, 64, 64)
    assert torch.allclose(pictures, expected, atol=1e-5)
    assert 0 <= pictures.min() < pictures.max() <= 1


@pytest.mark.parametrize(
    ("size", "count"),
    [((64, 64), 8), ((512, 512), 8), ((768, 1024), 2), ((1536, 1536), 1)],
)
def test_no_more_pixels_than_fit_go_through_the_vae_at_once(
    size: tuple[int, int], count: int, tiny_backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Passed:
        """Stands for what the VAE makes, and takes no time."""

        def __init__(self, piece: torch.Tensor) -> None:
            self.latent_dist, self.sample = self, piece
            self.mode = lambda: piece

    seen: list[int] = []

    def noted(piece: torch.Tensor) -> Passed:
        seen.append(len(piece))
        return Passed(piece[..., :1, :1])

    for way in ("encode", "decode"):
        monkeypatch.setattr(tiny_backbone.vae, way, noted)
    tiny_backbone.encode_images(torch.zeros(1, 3, 1, 1).expand(9, -1, *size))
    tiny_backbone.decode_latents(torch.zeros(1, 4, 1, 1).expand(9, -1, size[0] // 4, size[1] // 4))
    split = [len(piece) for piece in torch.zeros(9).split(count)]
    assert seen == [*split, *split]


def test_pictures_in_pieces_are_those_in_one(
    tiny_backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, latents = torch.rand(5, 3, 64, 32), torch.randn(5, 4, 16, 8)
    whole = tiny_backbone.encode_images(images), tiny_backbone.decode(latents)
    monkeypatch.setattr(vae_batches, "PIXELS_AT_ONCE", 2 * 64 * 32)
    assert torch.allclose(tiny_backbone.encode_images(images), whole[0], atol=1e-5)
    assert torch.allclose(tiny_backbone.decode(latents), whole[1], atol=1e-5)


def test_edges_go_in_as_white_on_black_pictures(tiny_backbone: Backbone) -> None:
    edges = torch.rand(2, 64, 64) < 0.2
    white_on_black = torch.where(edges[:, None], 1.0, 0.0).repeat(1, 3, 1, 1)
    assert torch.equal(tiny_backbone.encode_edges(edges), tiny_backbone.encode_images(white_on_black))


def test_prompts_embed_as_in_the_stock_pipeline(
    tiny_backbone: Backbone, stock: StableDiffusionPipeline
) -> None:
    prompts = ["a red fish", "", "x" * 99]
    expected, _ = stock.encode_prompt(prompts, "cpu", 1, False)
    assert torch.allclose(tiny_backbone.encode_prompts(prompts)["embeddings"], expected, atol=1e-6)


def test_too_long_a_prompt_keeps_its_end_token(tiny_backbone: Backbone) -> None:
    shorter, longer = tiny_backbone.encode_prompts(["b " * 30, "b " * 90])["embeddings"]
    assert torch.allclose(shorter, longer, atol=1e-6)


def test_nothing_can_be_trained_and_all_is_in_eval_mode(tiny_backbone: Backbone) -> None:
    for part in (tiny_backbone.denoiser, tiny_backbone.vae, tiny_backbone.text.encoders["text_encoder"]):
        assert not any(parameter.requires_grad for parameter in part.parameters())
        assert not any(module.training for module in part.modules())


def test_shapes_of_the_latents(tiny_backbone: Backbone) -> None:
    assert tiny_backbone.image_size == 64
    assert tiny_backbone.latent_shape(64) == (4, 16, 16)
    assert tiny_backbone.latent_shape((32, 96)) == (4, 8, 24)
    assert tiny_backbone.encode_images(torch.rand(1, 3, 32, 96)).shape == (1, 4, 8, 24)
    assert tiny_backbone.train_timesteps == 1000
    with pytest.raises(LepbenchError, match=r"cannot draw 70x64 px; .* multiples of 16 px"):
        tiny_backbone.latent_shape((64, 70))


def test_channels_at_the_taps_are_those_of_the_blocks(tiny_backbone: Backbone) -> None:
    assert list(tiny_backbone.tap_channels.items()) == list(
        zip(tiny_backbone.taps, (32, 32, 64, 64, 64, 64, 64, 32, 32), strict=True)
    )


def test_hashes_are_of_every_file(tiny_pipeline_folder: Path) -> None:
    present = {path for path in tiny_pipeline_folder.rglob("*") if path.is_file()}
    assert load_backbone(tiny_pipeline_folder).files_sha256 == {
        path.relative_to(tiny_pipeline_folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in present
    }


def test_what_decides_nothing_is_not_hashed(tiny_backbone: Backbone, copy: Path) -> None:
    for name in (
        "README.md",
        "unet/model.ckpt",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "tokenizer/.x",
    ):
        (copy / name).write_text("")
    (copy / "safety_checker").mkdir()
    (copy / "safety_checker" / "config.json").write_text("{}")
    assert load_backbone(copy).files_sha256 == tiny_backbone.files_sha256


def test_files_are_hashed_once(tiny_pipeline_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load_backbone(tiny_pipeline_folder)
    hashed: list[Path] = []

    def hashing(path: Path) -> str:
        hashed.append(path)
        return ""

    monkeypatch.setattr(folder, "sha256_file", hashing)
    assert len(loaded.files_sha256) == len(loaded.files_sha256) == len(hashed) > 0


def test_half_precision_files_load_in_full_precision(tiny_backbone: Backbone, copy: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = copy / "unet" / "diffusion_pytorch_model.safetensors"
    save_file({key: value.half() for key, value in load_file(path).items()}, path)
    loaded = load_backbone(copy)
    assert {parameter.dtype for parameter in loaded.denoiser.parameters()} == {torch.float32}
    assert torch.allclose(loaded.denoiser.conv_in.weight, tiny_backbone.denoiser.conv_in.weight, atol=1e-3)


@pytest.mark.parametrize(
    "weights",
    [
        "unet/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
    ],
)
def test_a_missing_weight_file_is_named(copy: Path, weights: str) -> None:
    # A pickled file in its place is no help: only safetensors are read.
    (copy / weights).rename((copy / weights).with_suffix(".bin"))
    with pytest.raises(LepbenchError) as caught:
        load_backbone(copy)
    assert f"missing weight file {copy / weights}" in str(caught.value)


@pytest.mark.parametrize("length", [0, 5, 5000])
def test_a_truncated_weight_file_is_one_line(copy: Path, length: int) -> None:
    path = copy / "unet" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(LepbenchError, match="is no safetensors file") as caught:
        load_backbone(copy)
    assert "\n" not in str(caught.value)


def test_weights_that_a_file_lacks_are_not_left_to_chance(copy: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = copy / "vae" / "diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    del weights["quant_conv.weight"]
    save_file(weights, path)
    with pytest.raises(LepbenchError, match=r"lacks 1 weights of its config, first 'quant_conv.weight'"):
        load_backbone(copy)


@pytest.mark.parametrize("part", ["tokenizer", "scheduler"])
def test_a_folder_without_tokenizer_or_scheduler_is_one_line(copy: Path, part: str) -> None:
    shutil.rmtree(copy / part)
    with pytest.raises(LepbenchError, match=rf"{part}.*the folder is no whole pipeline"):
        load_backbone(copy)


def test_a_damaged_config_is_one_line(copy: Path) -> None:
    (copy / "vae" / "config.json").write_text("{")
    with pytest.raises(LepbenchError, match=r"cannot read .*vae/config.json: .*no whole pipeline"):
        load_backbone(copy)


def test_an_unknown_layout_is_refused(copy: Path) -> None:
    config = json.loads((copy / "unet" / "config.json").read_text())
    types = ["DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"]
    from diffusers import UNet2DConditionModel

    shutil.rmtree(copy / "unet")
    unet = UNet2DConditionModel.from_config(config, down_block_types=types)
    unet.save_pretrained(copy / "unet")
    with pytest.raises(LepbenchError, match="no taps are known"):
        load_backbone(copy)


def test_names_that_lead_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(LepbenchError, match="no embedded model 'mini@99'"):
        load_backbone("mini@99")
    with pytest.raises(LepbenchError, match="no model folder"):
        load_backbone(tmp_path / "absent")
    with pytest.raises(
        LepbenchError, match="'nobody/nothing' is neither a folder here nor could it be fetched"
    ):
        load_backbone("nobody/nothing")


def test_a_device_that_is_not_there_is_one_line(tiny_pipeline_folder: Path) -> None:
    for name in ("nonsense", "cuda:99"):
        with pytest.raises(LepbenchError, match=f"no device '{name}' here"):
            load_backbone(tiny_pipeline_folder, name)
