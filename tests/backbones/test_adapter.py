"""Low-rank weights beside a backbone's: as PEFT applies them, hashed, and refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from lepbench.backbones import Backbone, load_backbone
from lepbench.backbones.cost import count_passes
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings, sample
from lepbench.seeds import draw_noise

LAYERS = ["to_q", "to_v", "conv1"]


@pytest.fixture(scope="module")
def trained(tiny_pipeline_folder: Path) -> Any:
    """A denoiser with random low-rank weights, by PEFT itself."""
    from peft import LoraConfig, get_peft_model

    with torch.random.fork_rng():
        torch.manual_seed(0)
        denoiser = load_backbone(tiny_pipeline_folder).denoiser
        # Without the usual zeros of one factor, so that the products differ from nothing.
        settings = LoraConfig(r=2, lora_alpha=4, target_modules=LAYERS, init_lora_weights=False)
        return get_peft_model(denoiser, settings)


@pytest.fixture
def adapter(trained: Any, tiny_pipeline_folder: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    trained.save_pretrained(folder)
    change(folder, base_model_name_or_path=str(tiny_pipeline_folder))
    return folder


def change(folder: Path, **keys: Any) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | keys))


def test_the_denoiser_is_that_of_peft(adapter: Path, trained: Any, tiny_backbone: Backbone) -> None:
    loaded = load_backbone(adapter)
    z, when = draw_noise(0, (4, 16, 16))[None], torch.tensor(500)
    captions = loaded.encode_prompts(["a red fish"])
    with torch.no_grad():
        expected = trained(z, when, captions["embeddings"]).sample
        found, base = loaded.predict(z, when, captions), tiny_backbone.predict(z, when, captions)
    assert torch.allclose(found, expected, atol=1e-5)
    assert not torch.allclose(found, base, atol=1e-3)
    assert loaded.name == str(adapter)
    assert loaded.taps == tiny_backbone.taps
    assert not any(weight.requires_grad for weight in loaded.denoiser.parameters())


def test_its_files_are_hashed_beside_those_of_the_model(adapter: Path, tiny_backbone: Backbone) -> None:
    files = load_backbone(adapter).files_sha256
    own = {name: digest for name, digest in files.items() if name.startswith("adapter/")}
    assert set(own) == {"adapter/adapter_config.json", "adapter/adapter_model.safetensors"}
    assert {name: files[name] for name in files.keys() - own.keys()} == tiny_backbone.files_sha256


def test_a_schedule_of_its_own_is_taken(adapter: Path, tiny_backbone: Backbone) -> None:
    (adapter / "scheduler").mkdir()
    schedule = {**tiny_backbone.scheduler, "timestep_spacing": "trailing"}
    (adapter / "scheduler" / "scheduler_config.json").write_text(json.dumps(schedule))
    loaded = load_backbone(adapter)
    assert loaded.scheduler["timestep_spacing"] == "trailing"
    assert "adapter/scheduler/scheduler_config.json" in loaded.files_sha256
    with count_passes(loaded.denoiser) as counted:
        settings = SamplerSettings(steps=2, guidance_scale=1.0)
        sample(loaded, ["a red fish"], draw_noise(0, (4, 16, 16))[None], settings)
    assert counted.total == 2


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"base_model_name_or_path": None}, "holds no settings of LoRA with its base model"),
        ({"base_model_name_or_path": "nowhere/at/all"}, "no model folder 'nowhere/at/all'"),
        ({"r": 0}, "holds no settings of LoRA"),
        ({"use_dora": True}, "use_dora is True, and only plain LoRA is read"),
        ({"peft_type": "LOHA"}, "peft_type is 'LOHA', and only plain LoRA is read"),
        ({"rank_pattern": {"conv1": 4}}, "and only plain LoRA is read"),
        ({"target_modules": ["to_q"]}, "do not fit"),
        ({"r": 3}, "do not fit"),
        ({"target_modules": ["nothing"]}, "do not fit"),
    ],
)
def test_other_settings_are_one_line(keys: dict[str, Any], said: str, adapter: Path) -> None:
    change(adapter, **keys)
    with pytest.raises(LepbenchError, match=said) as caught:
        load_backbone(adapter)
    assert len(str(caught.value).splitlines()) == 1


def test_damaged_weights_are_one_line(adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").write_bytes(b"no weights")
    with pytest.raises(LepbenchError, match="do not fit"):
        load_backbone(adapter)


def test_half_precision_weights_are_read(adapter: Path, trained: Any) -> None:
    path = adapter / "adapter_model.safetensors"
    save_file({name: value.half() for name, value in load_file(path).items()}, path)
    z, when = draw_noise(0, (4, 16, 16))[None], torch.tensor(500)
    loaded = load_backbone(adapter)
    captions = loaded.encode_prompts(["a red fish"])
    with torch.no_grad():
        expected = trained(z, when, captions["embeddings"]).sample
        assert torch.allclose(loaded.predict(z, when, captions), expected, atol=1e-2)


def test_an_adapter_beside_an_adapter_is_refused(adapter: Path, tmp_path: Path) -> None:
    import shutil

    second = shutil.copytree(adapter, tmp_path / "second")
    change(second, base_model_name_or_path=str(adapter))
    with pytest.raises(LepbenchError, match="low-rank weights beside other low-rank weights"):
        load_backbone(second)
