"""Every stage of the emoji runs from a recipe to a folder that its reader loads."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lepbench.backbones import load_backbone
from lepbench.config import load_config
from lepbench.errors import LepbenchError
from lepbench.judges.clip import ClipScorer
from lepbench.judges.matcher import load_matcher
from lepbench.mini.about import RECIPES
from lepbench.mini.emoji_pictures import Augmentation, EmojiPictures
from lepbench.mini.emoji_unet import EmojiUnetRecipe, build_unet
from lepbench.mini.gates import measure
from lepbench.mini.labels import number_labels
from lepbench.mini.stages import train
from lepbench.progress import ignore_progress

FIT = "fit: {steps: 1, batch: 4, learning_rate: 1.0e-3, warmup: 1, log_every: 1, precision: fp32}"
SMALL = {
    "emoji-vae": f"train: {{count: 8}}\n{FIT}",
    "emoji-unet": f"train: {{count: 8}}\ncopies: 1\n{FIT}",
    "emoji-judge": f"vision_width: 32\nvision_layers: 1\ntext_width: 16\ntrain: {{count: 8}}\n{FIT}",
    "emoji-matcher": f"train: {{count: 8}}\n{FIT}",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("emoji")
    for name, text in SMALL.items():
        (folder / f"{name}.yaml").write_text(text)
        train(name, folder, folder / f"{name}.yaml")
    return folder


def test_the_pipeline_is_a_backbone_that_predicts_v_and_reads_its_caption_twice(folder: Path) -> None:
    backbone = load_backbone(folder / "emoji@1")
    assert backbone.scheduler["prediction_type"] == "v_prediction"
    assert backbone.denoiser.config.addition_embed_type == "text"
    assert backbone.latent_shape(64) == (4, 16, 16)
    states = backbone.encode_prompts(["a goose in the style of noto", "a goose in the style of twemoji"])
    assert not torch.equal(*states["embeddings"])


def test_every_model_is_measured(folder: Path) -> None:
    gates = {gate.name: gate for gate in measure(folder, ignore_progress, 2, ("emoji@1", "emoji-judge@1"))}
    assert gates["emoji@1/vae/pairs/psnr"].threshold == 27
    assert gates["emoji@1/samples/set_of_4"].threshold == 0.9
    assert gates["emoji@1/copies/held_out/distance"].value > 0
    assert 0 <= gates["emoji-judge@1/pairs/subject_of_100"].value <= 1
    assert load_matcher(folder / "emoji-matcher@1")
    assert ClipScorer.load(folder / "emoji-judge@1").text_features(["a goose"]).shape == (1, 64)


def test_a_unet_without_its_vae_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="run 'lepbench mini train emoji-vae' first"):
        train("emoji-unet", tmp_path)


def test_the_backbone_learns_from_no_picture_that_is_held_out() -> None:
    for name in ("emoji-vae", "emoji-unet"):
        assert "splits" not in (RECIPES / f"{name}.yaml").read_text()
    assert EmojiPictures().splits == ("train",)
    assert set(EmojiPictures().load().table.rows["split"]) == {"train"}
    recipe = load_config(RECIPES / "emoji-unet.yaml", EmojiUnetRecipe)
    assert set(recipe.train.load().table.rows["group"]) == set(recipe.train.groups)


def test_the_caption_reaches_every_block_by_the_time_embedding() -> None:
    unet = build_unet("mini@1")
    one, other = torch.randn(2, 1, 32, 128, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert not torch.allclose(unet.add_embedding(one), unet.add_embedding(other), atol=0.1)


def test_changed_pictures_stay_on_white_and_are_repeated_by_their_seed() -> None:
    pictures = EmojiPictures(count=6).load().images
    change = Augmentation(flip=0.5, shrink=0.5, smallest=0.6, shift=3)
    one, again, other = (change.apply(pictures, torch.Generator().manual_seed(n)) for n in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert one.shape == pictures.shape
    assert one[:, :, 0].mean() > 0.95
    assert one.min() >= 0
    assert one.max() <= 1
    still = Augmentation(flip=0.0, shrink=0.0, shift=0)
    assert torch.equal(still.apply(pictures, torch.Generator()), pictures)


def test_labels_are_numbered_in_their_order() -> None:
    assert number_labels(["b", "a", "b", "c"]).tolist() == [1, 0, 1, 2]
