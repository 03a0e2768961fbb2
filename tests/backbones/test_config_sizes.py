"""A config that asks for sizes out of all proportion to its weights is refused before anything is built."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lepbench.backbones.load import load_component
from lepbench.errors import LepbenchError
from lepbench.weights_header import StoredTensor, find_odd_size

HEADER = {f"block.{i}.weight": StoredTensor("F32", (640, 320)) for i in range(300)}


@pytest.mark.parametrize(
    "config",
    [
        {"layers_per_block": 2, "block_out_channels": [320, 640], "norm_eps": 1e-5, "sample_size": 64},
        {"num_layers": 300, "rope_theta": 1_000_000, "text_config": {"vocab_size": 152_064}, "act": "silu"},
        {"transformer_layers_per_block": [1, [2, 10]], "attention_bias": True, "cap": None},
    ],
)
def test_usual_configs_pass(config: dict[str, Any]) -> None:
    assert find_odd_size(config, HEADER) is None


@pytest.mark.parametrize(
    ("config", "odd"),
    [
        ({"transformer_layers_per_block": [1, 10_000_000]}, "transformer_layers_per_block 10000000"),
        ({"num_layers": 301}, "num_layers 301"),
        ({"conditioning_channels": 10**8}, "conditioning_channels 100000000"),
        ({"vision_config": {"hidden_size": 2**40}}, "hidden_size 1099511627776"),
    ],
)
def test_the_first_odd_number_is_named(config: dict[str, Any], odd: str) -> None:
    assert find_odd_size(config, HEADER) == odd


@pytest.mark.parametrize(
    ("part", "kind", "key"),
    [
        ("unet", "diffusers.UNet2DConditionModel", "layers_per_block"),
        ("vae", "diffusers.AutoencoderKL", "latent_channels"),
        ("text_encoder", "transformers.CLIPTextModel", "num_hidden_layers"),
    ],
)
def test_no_component_is_built_for_it(
    part: str, kind: str, key: str, tiny_folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    import torch

    shutil.copytree(tiny_folder_of("sd-v") / part, tmp_path / part)
    path = tmp_path / part / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: 10**8}))
    started = time.process_time()
    with pytest.raises(LepbenchError, match=rf"config.json asks for {key} 100000000, and the weights hold"):
        load_component(tmp_path / part, kind, torch.float32)
    assert time.process_time() - started < 5
