"""A control checkpoint's settings are those it was published with, those given, or asked for in one line."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from tiny_controls import save_control

from lepbench.backbones import load_backbone
from lepbench.config import dump_config, load_config, parse_config
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings
from lepbench.guidance.schedulers import SCHEDULERS
from lepbench.methods import ControlledConfig, ModelConfig
from lepbench.methods.control_kinds import CONTROLS
from lepbench.methods.control_place import find_part
from lepbench.methods.controlled import make_control_pictures
from lepbench.methods.known_controls import load_known_controls

CANNY = "diffusers/controlnet-canny-sdxl-1.0"
PICTURE = {"polarity": "white-on-black", "channels": 3, "range": [0, 1]}


def read(method: dict[str, Any], **others: Any) -> ModelConfig:
    document = {"name": "a", "method": {"name": "controlled", **method}, **others}
    return parse_config(document, ModelConfig, "model.yaml")


@pytest.mark.parametrize("name", list(load_known_controls()))
def test_every_known_checkpoint_is_a_method_and_a_sampler(name: str) -> None:
    known = load_known_controls()[name]
    assert f"{known.module}/{known.family}" in CONTROLS
    model = read({"control": name})
    assert isinstance(model.method, ControlledConfig)
    stated = known.model_dump(exclude_none=True)
    found = {**model.sampler.model_dump(), **model.method.model_dump()}
    for key in stated.keys() - {"module", "family", "detector"}:
        assert found[key] == stated[key], key
    assert known.scheduler is None or known.scheduler in SCHEDULERS


def test_what_is_given_overrides_the_checkpoints_and_is_what_a_record_holds(tmp_path: Path) -> None:
    plain = read({"control": CANNY})
    assert (plain.sampler.steps, plain.sampler.guidance_scale) == (50, 5.0)
    model = read({"control": CANNY, "scale": 0.9, "polarity": "black-on-white"}, sampler={"steps": 9})
    assert (model.sampler.steps, model.sampler.guidance_scale) == (9, 5.0)
    assert isinstance(model.method, ControlledConfig)
    assert (model.method.scale, model.method.polarity) == (0.9, "black-on-white")
    written = yaml.safe_load(dump_config(model))
    assert written["method"] == {
        "name": "controlled",
        "control": CANNY,
        "polarity": "black-on-white",
        "channels": 3,
        "range": [0.0, 1.0],
        "scale": 0.9,
        "mode": None,
        "start": 0.0,
        "end": 1.0,
        "licence": None,
    }
    path = tmp_path / "model.yaml"
    path.write_text(dump_config(model))
    assert load_config(path, ModelConfig) == model


def test_a_preset_of_the_sampler_goes_before_the_checkpoints() -> None:
    model = read({"control": CANNY}, preset="fast")
    assert (model.sampler.steps, model.sampler.scheduler, model.sampler.guidance_scale) == (20, "unipc", 5.0)


def test_a_method_from_python_has_the_checkpoints_sampler() -> None:
    method = ControlledConfig(control=CANNY)  # type: ignore[call-arg]
    assert ModelConfig(name="a", method=method).sampler.guidance_scale == 5.0
    given = SamplerSettings(guidance_scale=2)
    assert ModelConfig(name="a", method=method, sampler=given).sampler == given


def test_a_copy_has_the_settings_of_the_checkpoint_that_it_names() -> None:
    copy = read({"control": "my/folder", "preset": CANNY})
    assert isinstance(copy.method, ControlledConfig)
    assert copy.method.scale == 0.5
    assert "preset" not in copy.method.model_dump()
    assert copy.sampler.guidance_scale == 5.0


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (
            {"control": "my/own"},
            r"'my/own' is no checkpoint whose .*: give polarity, channels, range \(polarity: white-on-black",
        ),
        ({"control": "my/own", "channels": 3, "range": [0, 1]}, "is known: give polarity "),
        ({"control": "my/own", "preset": "diffusers/controlnet-cany-sdxl-1.0"}, f"did you mean '{CANNY}'"),
        ({"control": "a", **PICTURE, "polarity": "white"}, "method.polarity must be 'white-on-black' or"),
        ({"control": "a", **PICTURE, "channels": 4}, "method.channels must be 1 or 3, not 4"),
        ({"control": "a", **PICTURE, "start": 0.5, "end": 0.5}, "start 0.5 is not before end 0.5"),
        ({"control": "a", **PICTURE, "scael": 1}, "did you mean 'scale'"),
        (PICTURE, "the key 'method.control' is missing"),
        ({"control": "a", **PICTURE, "range": [0, 0]}, r"range \[0.0, 0.0\] does not rise"),
        (
            {"control": "a", **PICTURE, "range": [0, math.inf]},
            "range entry 2 must be a number other than infinity",
        ),
        ({"control": "a", **PICTURE, "scale": math.inf}, "scale must be a number other than infinity"),
    ],
)
def test_a_fault_is_one_line(method: dict[str, Any], message: str) -> None:
    with pytest.raises(LepbenchError, match=message) as caught:
        read(method)
    assert "\n" not in str(caught.value)


def write_folder(folder: Path, files: dict[str, str]) -> str:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    return str(folder)


@pytest.mark.parametrize(
    ("control", "message"),
    [
        (
            "controlnet-mini@2",
            "control module is called 'controlnet-mini@2'; did you mean 'controlnet-mini@1'?",
        ),
        (
            "mini@1",
            "mini@1 is a StableDiffusionPipeline, which has no control module; give it as the backbone",
        ),
        (
            "lep-mini@1",
            "lep-mini@1 is a latent edge predictor, and no control module; write 'method: {name: lep",
        ),
        (
            "judge@1",
            "judge@1 is of class CLIPModel, and no control module; give one of class ControlNetModel",
        ),
        (5, "'control' must be a text, not 5; give the folder or hub id of a control module"),
        (None, "'control' must be a text, not null; give"),
        ("", "'control' is empty; give"),
        (["a"], r"""'control' must be a text, not \["a"\]; give"""),
        ("my/own.safetensors", "no file 'my/own.safetensors'; give"),
        ("./nowhere/x", "no folder './nowhere/x'; give"),
        (CANNY.replace("canny", "cany"), f"did you mean '{CANNY}'"),
    ],
)
def test_what_is_no_name_of_a_control_module_is_one_line(control: Any, message: str) -> None:
    with pytest.raises(LepbenchError, match=message) as caught:
        read({"control": control})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "is empty; give the folder or hub id"),
        ({"adapter_config.json": "{}"}, "is a LoRA, and no control module; give"),
        ({"pytorch_lora_weights.safetensors": ""}, "is a LoRA, and no control module; give"),
        (
            {"config.json": '{"_class_name": "UNet2DConditionModel"}'},
            "is of class UNet2DConditionModel, and no",
        ),
        ({"config.json": "{}"}, "has a config.json that names no class of diffusers, and no control module"),
        (
            {"model_index.json": '{"_class_name": "FluxPipeline"}'},
            "is a FluxPipeline, which has no control module",
        ),
        ({"readme.md": "", "zz.txt": ""}, r"has no config.json: the folder holds readme.md, zz.txt; give"),
    ],
)
def test_a_folder_of_something_else_says_what_it_is(
    files: dict[str, str], message: str, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "control", files)
    with pytest.raises(LepbenchError, match=message):
        read({"control": folder})
    # With all settings the folder is looked at when the module is loaded.
    assert isinstance(read({"control": folder, **PICTURE}).method, ControlledConfig)
    with pytest.raises(LepbenchError, match=message):
        find_part(folder)


def test_a_file_of_a_control_module_is_told_from_its_folder(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "control", {"config.json": "{}", "a.safetensors": ""})
    with pytest.raises(LepbenchError, match="is a file, and a control module is a folder; did you mean "):
        read({"control": f"{folder}/config.json"})
    alone = write_folder(tmp_path / "alone", {"a.safetensors": ""})
    with pytest.raises(LepbenchError, match=r"save it as a folder: .*from_single_file"):
        read({"control": f"{alone}/a.safetensors"})


def test_pictures_have_the_polarity_channels_and_range_that_are_asked_for() -> None:
    sketches = torch.tensor([[[True, False]]])

    def paint(**settings: Any) -> list[Any]:
        config = ControlledConfig(control="a", **{**PICTURE, **settings})
        return make_control_pictures(sketches, config).tolist()

    assert paint() == [[[[1, 0]]] * 3]
    assert paint(polarity="black-on-white") == [[[[0, 1]]] * 3]
    assert paint(channels=1) == [[[[1, 0]]]]
    assert paint(range=[-1, 1]) == [[[[1, -1]]] * 3]


# Control module, backbone, settings that differ, what is said.
MISFITS = [
    ("controlnet-sdxl", "sd-v", {}, "has .* and .* has .*; use a control module that was trained for"),
    ("controlnet-sd", "sd3", {}, "a ControlNetModel controls backbones of the family sd, sdxl, and this"),
    ("adapter-sd", "sdxl", {"channels": 1}, "has adapter_type 'full_adapter', not 'full_adapter_xl'"),
    ("adapter-sd", "sd-v", {}, "reads control pictures of 1 channels, not 3; set channels: 1"),
    ("adapter-sd", "sd-v", {"channels": 1, "end": 0.5}, "StableDiffusionAdapterPipeline takes no end"),
    ("controlnet-sd", "sd-v", {"mode": 1}, "is of one kind of control, and mode 1 is given"),
    (
        "union",
        "sdxl",
        {},
        "is of 3 kinds of control, and mode is None; give the mode .*, 0 to 2; its model card",
    ),
    ("union-flux", "flux-dev", {"mode": 4}, "is of 4 kinds of control, and mode is 4"),
    ("controlnet-flux", "flux-dev", {"mode": 0}, "is of one kind of control, and mode 0 is given"),
    ("flux-control", "flux-dev", {"scale": 0.5}, "FluxControlPipeline takes no scale"),
    ("flux-control", "sd3", {}, "a FluxTransformer2DModel controls backbones of the family flux, and this"),
]


@pytest.mark.parametrize(("control", "name", "settings", "message"), MISFITS)
def test_what_does_not_fit_is_one_line_before_anything_is_drawn(
    control: str,
    name: str,
    settings: dict[str, Any],
    message: str,
    tiny_folder_of: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    folder = save_control(control, tmp_path / "control")
    config = ControlledConfig(control=str(folder), **{**PICTURE, **settings})
    with pytest.raises(LepbenchError, match=message) as caught:
        config.build(load_backbone(tiny_folder_of(name)), SamplerSettings())
    assert "\n" not in str(caught.value)


def test_a_size_that_the_module_cannot_read_is_one_line(
    tiny_folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = save_control("adapter-sd", tmp_path / "control")
    config = ControlledConfig(control=str(folder), **{**PICTURE, "channels": 1})
    method = config.build(load_backbone(tiny_folder_of("sd-v")), SamplerSettings())
    method.check_size((64, 96))
    with pytest.raises(LepbenchError, match=r"cannot read a sketch of 72x64 px; .* multiples of 32 px"):
        method.check_size((64, 72))


def test_the_transformer_of_a_whole_pipeline_is_its_control_module(
    tiny_folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    backbone = load_backbone(tiny_folder_of("flux-dev"))
    save_control("flux-control", tmp_path / "transformer")
    index = tmp_path / "model_index.json"
    index.write_text('{"_class_name": "FluxControlPipeline"}')
    config = ControlledConfig(control=str(tmp_path), **PICTURE)
    method = config.build(backbone, SamplerSettings(scheduler="flow_euler"))
    assert set(method.weights) == {"control/config.json", "control/diffusion_pytorch_model.safetensors"}
    index.write_text('{"_class_name": "FluxPipeline"}')
    with pytest.raises(LepbenchError, match="is a FluxPipeline, which has no control module; give"):
        config.build(backbone, SamplerSettings())
    index.unlink()
    with pytest.raises(
        LepbenchError, match=r"has no config\.json: the folder holds .*; did you mean .*transformer"
    ):
        config.build(backbone, SamplerSettings())
    plain = ControlledConfig(control=str(backbone.folder / "transformer"), **PICTURE)
    with pytest.raises(LepbenchError, match="has in_channels 16, and would read 32 beside"):
        plain.build(backbone, SamplerSettings())


def test_a_schedule_that_the_pipeline_does_not_follow_is_one_line(
    tiny_folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    backbone = load_backbone(tiny_folder_of("sd3"))
    shifted = dataclasses.replace(backbone, scheduler={**backbone.scheduler, "use_dynamic_shifting": True})
    config = ControlledConfig(control=str(save_control("controlnet-sd3", tmp_path)), **PICTURE)
    config.build(backbone, SamplerSettings(scheduler="flow_euler"))
    with pytest.raises(LepbenchError, match="shifts by the picture's size, and StableDiffusion3ControlNet"):
        config.build(shifted, SamplerSettings(scheduler="flow_euler"))


def test_a_pickle_and_a_folder_of_something_else_are_one_line(
    tiny_folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    backbone = load_backbone(tiny_folder_of("sd-v"))
    folder = save_control("controlnet-sd", tmp_path / "control")
    (folder / "diffusion_pytorch_model.safetensors").rename(folder / "diffusion_pytorch_model.bin")
    config = ControlledConfig(control=str(folder), **PICTURE)
    with pytest.raises(LepbenchError, match=r"diffusion_pytorch_model\.bin, a pickle, which is never read"):
        config.build(backbone, SamplerSettings())
    other = ControlledConfig(control=str(tiny_folder_of("sd-v") / "vae"), **PICTURE)
    with pytest.raises(
        LepbenchError,
        match="is of class AutoencoderKL, and no control module; give one of class ControlNetModel",
    ):
        other.build(backbone, SamplerSettings())


def test_sketches_are_drawn_as_they_are() -> None:
    rng = np.random.default_rng(3)
    sketches = torch.from_numpy(rng.random((2, 8, 8)) < 0.3)
    config = ControlledConfig(control="a", **PICTURE)
    assert torch.equal(make_control_pictures(sketches, config)[:, 0] > 0.5, sketches)


@pytest.mark.parametrize(("key", "value"), [("guidance_stop", 0.5), ("guidance_every", 2)])
def test_what_the_loop_of_diffusers_has_not_is_refused(key: str, value: float) -> None:
    config = parse_config({"control": "controlnet-mini@1"}, ControlledConfig, "")
    sampler = SamplerSettings.model_validate({key: value})
    with pytest.raises(LepbenchError, match=f"sampler.{key} is set, and 'controlled' draws by the loop"):
        config.build(load_backbone("mini@1"), sampler)
