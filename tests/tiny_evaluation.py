"""Fixtures of a whole evaluation at the smallest size: suite, judges and model with random weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from lepbench.detectors import Canny, Sobel
from lepbench.guidance import SamplerSettings
from lepbench.judges import Judges, LoadedJudge, Matching
from lepbench.judges.clip import ClipScorer
from lepbench.methods import ModelConfig, UnguidedConfig
from lepbench.metrics.attributes import Look
from lepbench.suite_sources.sketchworld import SuiteRecipe, make_suite
from lepbench.suites import Item, Suite

ITEMS = 10


@pytest.fixture(scope="session")
def tiny_suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """Twelve items, ten by default: one whole unit and a part of one."""
    recipe = SuiteRecipe(
        name="tiny-suite",
        description="a few scenes",
        items=12,
        default_items=ITEMS,
        detector=Canny(low=0.3, high=0.6),
        contour_detector=Sobel(),
    )
    folder = tmp_path_factory.mktemp("suites") / recipe.name
    make_suite(recipe, folder)
    return Suite(folder)


def pictures_of(items: Iterable[Item]) -> np.ndarray:
    """The items' own pictures, uint8 [N, H, W, 3]."""
    pictures = []
    for item in items:
        assert item.image is not None
        pictures.append(item.image)
    return np.stack(pictures)


def by_corner(images: torch.Tensor) -> torch.Tensor:
    """A segmenter: what differs from the colour of the picture's corner."""
    return (images - images[:, :, :1, :1]).abs().amax(dim=1) > 0.25


def by_place(maps: torch.Tensor) -> torch.Tensor:
    """Features of a map: how much of it lies in each of sixteen fields."""
    return functional.adaptive_avg_pool2d(maps.float()[:, None], 4).flatten(1)


def by_brightness(images: torch.Tensor, classes: Sequence[str]) -> list[str]:
    """A classifier of two classes."""
    return ["fish" if bright else "cat" for bright in (images.mean(dim=(1, 2, 3)) > 0.5).tolist()]


def by_halves(images: torch.Tensor) -> list[list[Look]]:
    """A reader of things: one in the left half of a bright picture, in the right half of a dark one."""
    return [
        [Look(shape, "red", "plain", "paper", x=0.25 if shape == "fish" else 0.75, y=0.5)]
        for shape in by_brightness(images, ())
    ]


@pytest.fixture(scope="session")
def tiny_judges(tiny_pipeline_folder: Path) -> Judges:
    """Functions, and a CLIP model of random weights with features as long as those of the one that ships."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(tiny_pipeline_folder / "tokenizer")
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    tokens = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    text = {**tower, **tokens, "vocab_size": len(tokenizer), "max_position_embeddings": 32}
    vision = {**tower, "image_size": 64, "patch_size": 16}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=64))
    size = {"height": 64, "width": 64}
    scorer = ClipScorer(model, tokenizer, CLIPImageProcessor(size=size, crop_size=size, do_resize=False))
    return Judges(
        {
            "sketchworld-clip": LoadedJudge(features=scorer.image_embedding, captions=scorer),
            "sketchworld-segmenter": LoadedJudge(masks=by_corner),
            "sketchworld-matcher": LoadedJudge(
                sketches=Matching(by_place, lambda images: by_place(by_corner(images)))
            ),
            "sketchworld-classifier": LoadedJudge(classes=by_brightness),
            "sketchworld-things": LoadedJudge(things=by_halves),
        },
        weights={"sketchworld-clip/model.safetensors": "0" * 64},
    )


@pytest.fixture(scope="session")
def tiny_model(tiny_pipeline_folder: Path) -> ModelConfig:
    """The tiny pipeline, unguided, in two steps."""
    return ModelConfig(
        name="tiny",
        backbone=str(tiny_pipeline_folder),
        sampler=SamplerSettings(steps=2),
        method=UnguidedConfig(),
    )


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Reference rows of a test are its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("LEPBENCH_CACHE", str(folder))
    return folder
