"""Fixtures shared by every package: a random-weight pipeline laid out as the embedded one, in a folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

# Busy machines are slow: how long an example takes says nothing about whether it is right.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

if TYPE_CHECKING:
    from lepbench.backbones import Backbone


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests go first, so that no process is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def sqrtm_of_clean_fid(monkeypatch: pytest.MonkeyPatch) -> None:
    """clean-fid 0.1.35 asks scipy's `sqrtm` for an error estimate, which scipy 1.18 has no more."""
    import scipy.linalg

    def sqrtm(matrix: Any, disp: bool = True) -> Any:
        root = whole(matrix)
        return root if disp else (root, None)

    whole = scipy.linalg.sqrtm
    monkeypatch.setattr(scipy.linalg, "sqrtm", sqrtm)


@pytest.fixture(scope="session")
def tiny_backbone(tiny_pipeline_folder: Path) -> Backbone:
    """The tiny pipeline, loaded; tests must not change it."""
    from lepbench.backbones import load_backbone

    return load_backbone(tiny_pipeline_folder)


@pytest.fixture(scope="session")
def tiny_folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """From a name in `tiny_pipelines.BUILDERS` to that pipeline's folder; tests must not change it."""
    from tiny_pipelines import save_tiny

    root = tmp_path_factory.mktemp("families")
    return cache(lambda name: save_tiny(name, root / name))


@pytest.fixture(scope="session")
def tiny_pipeline_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A StableDiffusionPipeline folder with random weights: 64x64 pictures, 4x16x16 latents, 32 tokens.

    Its blocks are those of the embedded backbone, only narrower, so that taps, shapes and files agree.
    """
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    folder = tmp_path_factory.mktemp("tiny") / "pipeline"
    letters = [chr(ord("a") + i) for i in range(26)] + [str(i) for i in range(10)] + [",", ".", "-"]
    tokens = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    tokenizer = CLIPTokenizer(vocab={t: i for i, t in enumerate(tokens)}, merges=[], model_max_length=32)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        vae = AutoencoderKL(
            block_out_channels=(16, 16, 32),
            down_block_types=("DownEncoderBlock2D",) * 3,
            up_block_types=("UpDecoderBlock2D",) * 3,
            latent_channels=4,
            norm_num_groups=8,
            sample_size=64,
            scaling_factor=4.0,  # brings the latents of random weights to about unit deviation
        )
        unet = UNet2DConditionModel(
            sample_size=16,
            block_out_channels=(32, 32, 64),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            layers_per_block=1,
            norm_num_groups=8,
            cross_attention_dim=32,
            attention_head_dim=4,
        )
        text_encoder = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(tokens),
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=1,
                num_attention_heads=2,
                max_position_embeddings=32,
                projection_dim=32,
                bos_token_id=0,
                eos_token_id=1,
                pad_token_id=1,
            )
        )
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    StableDiffusionPipeline(
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder, safe_serialization=True)
    return folder
