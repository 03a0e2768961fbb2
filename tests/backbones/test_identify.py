"""What people give as a backbone that is no saved pipeline: one line says what it is and what to do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from lepbench.backbones import load_backbone
from lepbench.backbones.identify import find_pipeline
from lepbench.backbones.known import find_denoiser
from lepbench.errors import LepbenchError
from lepbench.guidance.pipeline import SketchGuidedPipeline

DOORS: list[Callable[[Path], Any]] = [load_backbone, find_denoiser, SketchGuidedPipeline.from_pretrained]


def refused(given: Path, message: str, doors: list[Callable[[Path], Any]] = DOORS) -> None:
    """Every door gives the same line."""
    for load in doors:
        with pytest.raises(LepbenchError, match=message) as caught:
            load(given)
        assert "\n" not in str(caught.value)


WEIGHTS = [
    ("model.diffusion_model.out.2.bias", "StableDiffusionPipeline"),
    ("conditioner.embedders.1.model.ln_final.bias", "StableDiffusionXLPipeline"),
    ("model.diffusion_model.joint_blocks.0.x_block.attn.proj.bias", "StableDiffusion3Pipeline"),
    ("double_blocks.0.img_attn.proj.bias", "FluxPipeline"),
]


@pytest.mark.parametrize(("weight", "kind"), WEIGHTS)
@pytest.mark.parametrize("inside", [False, True])
def test_a_checkpoint_in_one_file_is_to_be_converted(
    weight: str, kind: str, inside: bool, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    save_file({weight: torch.zeros(1)}, path)
    refused(
        tmp_path if inside else path,
        rf"model.safetensors is a single file, .*{kind}.from_single_file\('.*model.safetensors'\).save_pre",
    )


@pytest.mark.parametrize("name", ["model.ckpt", "model.pt", "model.SAFETENSORS", "x.onnx"])
def test_any_file_of_weights_is_one(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"weights")
    refused(tmp_path / name, "is a single file, and a backbone is a folder; convert it once")


def test_other_files(tmp_path: Path) -> None:
    refused(tmp_path / "absent.safetensors", "no file '.*absent.safetensors'; give a folder")
    # Not taken for a hub id.
    refused(Path("models/absent.safetensors"), "no file 'models/absent.safetensors'")
    (tmp_path / "flux.gguf").write_bytes(b"GGUF")
    refused(tmp_path / "flux.gguf", "quantised weights of one network")


def test_what_is_added_to_a_model_is_no_model(tmp_path: Path) -> None:
    lora = tmp_path / "style.safetensors"
    save_file({"unet.down.0.lora_A.weight": torch.zeros(1)}, lora)
    message = r"is a LoRA, which alone draws nothing; .* pipe.load_lora_weights\("
    refused(lora, message)
    for name in ("adapter_config.json", "pytorch_lora_weights.safetensors"):
        folder = tmp_path / Path(name).stem
        folder.mkdir()
        (folder / name).write_text("{}")
        refused(folder, message)
    learnt = tmp_path / "learnt"
    learnt.mkdir()
    (learnt / "learned_embeds.safetensors").write_text("")
    refused(learnt, r"is a textual inversion, .*load_textual_inversion\(")


def test_a_path_from_the_home_folder(
    tiny_folder_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tiny_folder_of("sd-v")
    monkeypatch.setenv("HOME", str(whole.parent))
    assert find_pipeline("~/sd-v", []) == whole


def test_folders_without_an_index(tiny_folder_of: Callable[[str], Path], tmp_path: Path) -> None:
    whole = tiny_folder_of("sd-v")
    for part, kind in (
        ("unet", "UNet2DConditionModel"),
        ("vae", "AutoencoderKL"),
        ("text_encoder", "CLIPTextModel"),
    ):
        refused(whole / part, f"the folder holds one component, a {kind}; did you mean .*sd-v?")
        alone = shutil.copytree(whole / part, tmp_path / part)
        refused(alone, f"the folder holds one component, a {kind}; .*{part}=")
    refused(
        whole / "unet" / "diffusion_pytorch_model.safetensors", "holds one component, .*did you mean .*sd-v?"
    )
    for part in ("scheduler", "tokenizer"):
        refused(whole / part, "missing file .*; did you mean .*sd-v?")
    cached = shutil.copytree(whole, tmp_path / "models--a--b" / "snapshots" / "012ab")
    refused(tmp_path / "models--a--b", f"did you mean {cached}?")
    refused(whole / "model_index.json", f"is a file, and a model is a folder; did you mean {whole}?")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "the folder .*empty is empty")
    shutil.copytree(whole, tmp_path / "outer" / "inner")
    refused(tmp_path / "outer", "missing file .*model_index.json; did you mean .*outer/inner?")
    (tmp_path / "other").mkdir()
    for name in "abcd":
        (tmp_path / "other" / f"{name}.txt").write_text("")
    refused(
        tmp_path / "other", r"missing file .*: the folder holds a.txt, b.txt, c.txt \.\.\.; give the folder"
    )


@pytest.mark.parametrize(
    "name", ["StableDiffusionInpaintPipeline", "KolorsPipeline", None, ["pipeline", "Mine"]]
)
def test_of_an_unknown_class_all_families_are_listed(name: object, tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": name}))
    refused(
        tmp_path,
        r"unknown pipeline class .*; families: flux \(FluxPipeline\), .* sdxl \(StableDiffusionXLPipeline\)",
    )
    with pytest.raises(LepbenchError) as caught:
        load_backbone(tmp_path)
    assert "did you mean" not in str(caught.value)


INSTEAD = [
    ("diffusion_pytorch_model.bin", "a pickle, which is never read; save it anew: diffusers.DiffusionPip"),
    ("diffusion_pytorch_model.ckpt", "a pickle, which is never read; use the model's safetensors"),
    ("diffusion_flax_model.msgpack", "weights of Flax, which are not read; use the model's safetensors"),
    ("model.onnx", "an ONNX graph, which is not read"),
    ("diffusion_pytorch_model.bf16.safetensors", "of another name, .* anew: .*variant='bf16'"),
    ("diffusion_pytorch_model.non_ema-00001-of-00002.safetensors", "variant='non_ema'"),
    ("model.safetensors", "there is model.safetensors, safetensors of another name.*; use the model's"),
]


@pytest.mark.parametrize(("name", "message"), INSTEAD)
def test_what_is_there_in_place_of_weights_is_named(
    name: str, message: str, tiny_folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_folder_of("sd-v"), tmp_path / "sd"))
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_name(name))
    missing = f"missing weight file {weights}: there is {name}, "
    with pytest.raises(LepbenchError, match=message) as caught:
        load_backbone(folder)
    assert str(caught.value).startswith(missing)
    refused(folder, message, [load_backbone, SketchGuidedPipeline.from_pretrained])


def test_the_advice_for_a_pickle_works(tiny_folder_of: Callable[[str], Path], tmp_path: Path) -> None:
    import diffusers

    folder = Path(shutil.copytree(tiny_folder_of("sd-v"), tmp_path / "sd"))
    unet = diffusers.UNet2DConditionModel.from_pretrained(folder / "unet")
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    unet.save_pretrained(folder / "unet", safe_serialization=False)
    with pytest.raises(LepbenchError, match=r"diffusion_pytorch_model\.bin, a pickle") as caught:
        load_backbone(folder)
    advice = str(caught.value).partition("save it anew: ")[2].replace("'FOLDER'", "anew")
    exec(advice, {"diffusers": diffusers, "anew": tmp_path / "anew"})
    expected = load_backbone(tiny_folder_of("sd-v")).denoiser.state_dict()
    found = load_backbone(tmp_path / "anew").denoiser.state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_a_shard_that_is_not_there_is_named(tmp_path: Path) -> None:
    from tiny_pipelines import save_tiny

    folder = save_tiny("flux-schnell", tmp_path / "flux", max_shard_size="40KB")
    first = sorted((folder / "transformer").glob("*-00001-of-*.safetensors"))[0]
    first.unlink()
    with pytest.raises(LepbenchError, match=f"its index names {first.name}, which is not there"):
        load_backbone(folder)
