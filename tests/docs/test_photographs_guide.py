"""Every file and command of docs/photographs.md works, in order, on stand-ins of the same layout."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sketch_corpora
import torch
import yaml
from guide_driver import Driver, run_script
from published_layouts import write_coco, write_multigen, write_release
from tiny_clip import save_clip
from tiny_pipelines import sd

GUIDE = Path(__file__).parents[2] / "docs" / "photographs.md"
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.M | re.S)
NAMED = re.compile(r"# (\S+\.(?:py|yaml))\n")
BACKBONE = "stable-diffusion-v1-5/stable-diffusion-v1-5"
SMALLER = {
    BACKBONE: "sd",
    "lllyasviel/control_v11p_sd15_canny": "controlnet-weights",
    "precision: float16": "precision: float32",
    '"cuda", torch.float16': '"cpu"',
    "scheduler: unipc, steps: 20": "scheduler: unipc, steps: 2",
    "sampler: {guidance_scale: 7.5}": "sampler: {guidance_scale: 7.5, steps: 2}",
    "num_inference_steps=20": "num_inference_steps=2",
    "hidden: [512, 256, 128, 64]": "hidden: [8]",
    "steps: 3000": "steps: 2",
    "batch: 16": "batch: 2",
    "validation: 0.05": "validation: 0.2",
    "coco-val --size 512": "coco-val --size 64",
    "coco-train --size 512": "coco-train --size 64",
    "scenes --name fscoco-test-256 --items 256": "scenes --name fscoco-test-256 --items 2 --size 64",
    "authors-sweep --name authors-sweep": "authors-sweep --name authors-sweep --size 64",
    "authors-grid --name authors-grid": "authors-grid --name authors-grid --size 64",
    "--limit 256": "--limit 2",
    "--limit 100": "--limit 2",
    "--samples-per-item 4": "--samples-per-item 2",
    "--workers 8": "--workers 1",
    "for stop in 0.0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9;": "for stop in 0.0 0.9;",
    "--judges lepbench-photographs-v1": "--judges stand-in.yaml",
    "/lepbench-photographs-v1 ": "/photographs-v1-with-stand-in ",
}
"""What the stand-ins have instead."""


def read_guide() -> tuple[dict[str, str], str]:
    """The files of the guide by name, and its commands as one script."""
    files: dict[str, str] = {}
    script = ""
    for language, text in FENCE.findall(GUIDE.read_text(encoding="utf-8")):
        if language == "sh":
            script += text
        elif language:
            named = NAMED.match(text)
            assert named is not None, text
            files[named[1]] = text
    return files, script


def shrink(text: str) -> str:
    """A file or script of the guide for the stand-ins."""
    for said, instead in SMALLER.items():
        text = text.replace(said, instead)
    judged = re.compile(r"^(\s*lepbench evaluate (?!.*--judges).*)$", re.M)
    return judged.sub(r"\1 --judges stand-in.yaml", text)


def write_stand_ins(root: Path) -> None:
    """What the guide downloads."""
    from diffusers import AutoencoderKL, ControlNetModel
    from transformers import Dinov2Config, Dinov2Model

    write_coco(root, "val2017", range(7))
    write_coco(root, "train2017", range(5, 15))
    write_multigen(root / "multigen", range(2))
    write_release(root / "released", side=64)
    sketch_corpora.fscoco(root / "fscoco", users=10, each=2)
    save_clip(root / "weights" / "clip-vit-base-patch16")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        # A side of 8 px a latent, as ControlNet has it.
        vae = AutoencoderKL(
            block_out_channels=(8, 8, 8, 8),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            norm_num_groups=4,
            scaling_factor=4.0,
        )
        # Laid out as mini's, without attention at full size, which takes long at 512 px.
        unet = {
            "sample_size": 64,
            "block_out_channels": (8, 16, 16),
            "layers_per_block": 1,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            "attention_head_dim": 4,
        }
        pipeline = sd(vae=vae, unet=unet)
        controlnet = ControlNetModel.from_unet(pipeline.unet)
        shape = {"hidden_size": 10, "num_hidden_layers": 1, "num_attention_heads": 2}
        dinov2 = Dinov2Model(Dinov2Config(**shape, image_size=56, patch_size=14))
    pipeline.save_pretrained(root / "sd", safe_serialization=True)
    controlnet.save_pretrained(root / "controlnet-weights")
    dinov2.save_pretrained(root / "weights" / "dinov2-large")


def test_every_file_is_used_by_a_command() -> None:
    files, script = read_guide()
    said = script + "".join(files.values())
    assert [name for name in files if said.count(name) < 2] == []


def test_every_replacement_is_of_something_said() -> None:
    files, script = read_guide()
    said = script + "".join(files.values())
    assert [text for text in SMALLER if text not in said] == []


@pytest.mark.slow
def test_every_command_works(driver: Driver, tmp_path: Path) -> None:
    files, script = read_guide()
    write_stand_ins(tmp_path)
    for name, text in files.items():
        (tmp_path / name).write_text(shrink(text))
    judges = yaml.safe_load(files["judges.yaml"])
    judges[0]["use"] = ["captions", "sketches", "classes"]
    (tmp_path / "stand-in.yaml").write_text(yaml.safe_dump(judges))
    ended, said, errors = run_script(driver, shrink(script), tmp_path)
    assert ended == 0, errors
    assert (tmp_path / "table.tex").is_file()
    (drawn,) = re.findall(r"authors-sweep by drawings-v2-without-judges *\n.*?(?=\n\*: best)", said, re.S)
    assert len(re.findall(r"^ *stop-0\.\d ", drawn, re.M)) == 2, drawn
    (board,) = (tmp_path / "boards" / "coco-val2017-1000").glob("*.csv")
    assert len(board.read_text().splitlines()) == 3
