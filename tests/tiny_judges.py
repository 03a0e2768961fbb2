"""Judges with random weights, saved as published ones are, and photographs for them to judge."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from skimage import data
from tiny_extractors import Inception
from tiny_pipelines import LETTERS, t5_tokenizer
from torch import nn

from lepbench.files import sha256_file
from lepbench.images import Pixels

POSITIONS = 40
TOWER = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
PHOTOGRAPHS = {
    "astronaut": "a smiling woman in an orange suit",
    "chelsea": "the face of a tabby cat",
    "coffee": "a cup of coffee on a saucer",
    "rocket": "a rocket on its launch pad at night",
    "motorcycle_left": "a motorcycle in a garage",
    "hubble_deep_field": "many galaxies in the dark",
    "ihc": "brown and blue tissue",
    "retina": "an eye seen from within",
}
"""The colour photographs that scikit-image ships, by name, and a caption of each."""


def read_photograph(name: str) -> Image.Image:
    """A photograph of `PHOTOGRAPHS`, as it ships."""
    folder = Path(data.__file__).parent
    path = next(
        folder / f"{name}{suffix}" for suffix in (".png", ".jpg") if (folder / f"{name}{suffix}").is_file()
    )
    with Image.open(path) as image:
        return image.convert("RGB")


def cut_photographs(height: int, width: int) -> list[Pixels]:
    """The upper left part of half the side of each photograph, uint8 [H, W, 3]."""
    images = map(read_photograph, PHOTOGRAPHS)
    halves = (image.crop((0, 0, image.width // 2, image.height // 2)) for image in images)
    return [np.array(half.resize((width, height))) for half in halves]


def widen(model: nn.Module, seed: int, gain: float = 1.0) -> Any:
    """Weights that keep variance: by those that a constructor draws, which are small, pictures look alike."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                fan = weight[0].numel()
                weight.copy_(torch.randn(weight.shape, generator=generator) * gain * fan**-0.5)
    return model


def clip_tokenizer(positions: int = POSITIONS) -> Any:
    """A tokenizer of single letters."""
    from transformers import CLIPTokenizer

    tokens = ["<|startoftext|>", "<|endoftext|>", *LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    vocabulary = {token: place for place, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=positions)


def save_clip(folder: Path, *, side: int = 32, seed: int = 0) -> Path:
    """A CLIP model that reads the centre of pictures whose short side is `side` px."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    ends = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    text = {**TOWER, **ends, "vocab_size": 54, "max_position_embeddings": POSITIONS}
    vision = {**TOWER, "image_size": side, "patch_size": 8}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=12)
    widen(CLIPModel(config), seed).save_pretrained(folder)
    clip_tokenizer().save_pretrained(folder)
    crop = {"height": side, "width": side}
    CLIPImageProcessor(size={"shortest_edge": side}, crop_size=crop).save_pretrained(folder)
    return folder


def save_siglip(folder: Path, *, side: int = 32, seed: int = 0) -> Path:
    """A SigLIP model, which stretches pictures to a square."""
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel

    text = {
        **TOWER,
        "vocab_size": 40,
        "max_position_embeddings": 24,
        "pad_token_id": 0,
        "projection_size": 16,
    }
    vision = {**TOWER, "image_size": side, "patch_size": 8}
    widen(SiglipModel(SiglipConfig(text_config=text, vision_config=vision)), seed).save_pretrained(folder)
    tokenizer = t5_tokenizer()
    tokenizer.model_max_length = 24
    tokenizer.save_pretrained(folder)
    SiglipImageProcessor(size={"height": side, "width": side}).save_pretrained(folder)
    return folder


def save_dinov2(folder: Path, *, seed: int = 0) -> Path:
    """A DINOv2 model of 56 px."""
    from transformers import Dinov2Config, Dinov2Model

    shape = {"hidden_size": 10, "num_hidden_layers": 2, "num_attention_heads": 2}
    widen(Dinov2Model(Dinov2Config(**shape, image_size=56, patch_size=14)), seed).save_pretrained(folder)
    return folder


def save_torchscript(path: Path, *, seed: int = 0) -> Path:
    """A stand-in for the TorchScript Inception."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch would have new files made otherwise
        torch.jit.script(widen(Inception(), seed)).save(str(path))
    return path


def save_inception(path: Path) -> Path:
    """Random weights of the whole Inception network of 2015, in the layout that torch-fidelity reads."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    torch.save({}, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda self, weights: None)
        model = FeatureExtractorInceptionV3("inception", ["2048"], str(path))
    torch.save(widen(model, 0, gain=2**0.5).state_dict(), path)
    return path


def save_judges(folder: Path) -> Path:
    """A file for `--judges`: those of the protocol of photographs, by the labels that they have there."""
    clip, large = save_clip(folder / "clip"), save_clip(folder / "large", side=40, seed=1)
    inception = save_torchscript(folder / "inception.pt")
    judges = [
        {"name": "clip", "label": "openai-b16", "model": str(clip), "use": ["captions", "classes"]},
        {"name": "dinov2", "label": "dinov2-l14", "model": str(save_dinov2(folder / "dinov2")), "size": 56},
        {"name": "clip", "label": "openai-l14-336", "model": str(large), "use": ["features"]},
        {"name": "inception", "weights": str(inception), "sha256": sha256_file(inception)},
    ]
    return write_yaml(folder / "tiny.yaml", judges)


def write_yaml(path: Path, content: Any) -> Path:
    """A YAML file, at its path."""
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path
