"""The parts of the embedded models: exact rewrites, tokens that fit, losses with known values."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lepbench.config import load_config
from lepbench.errors import LepbenchError
from lepbench.judges.classifier import Probe
from lepbench.judges.networks import load_weights, save_weights
from lepbench.judges.segmenter import Segmenter
from lepbench.mini import judge, probe, segmenter, unet, vae
from lepbench.mini.about import RECIPES
from lepbench.mini.corpus import CHUNK, Range, attribute_labels, degrade, renders
from lepbench.mini.denoising import denoising_loss
from lepbench.mini.tokens import MAX_TOKENS, build_tokenizer
from lepbench.mini.training import Fit
from lepbench.sketchworld import render, scene

FIT = Fit(steps=2, batch=4, learning_rate=1e-3, warmup=1, checkpoint_every=2)
CAPTIONS = [scene("train", i).caption for i in range(300)]
Trained = vae.VaeRecipe | unet.UnetRecipe | judge.JudgeRecipe | probe.ProbeRecipe | segmenter.SegmenterRecipe
SPANS: dict[str, type[Trained]] = {
    "vae": vae.VaeRecipe,
    "unet": unet.UnetRecipe,
    "judge": judge.JudgeRecipe,
    "probe": probe.ProbeRecipe,
    "segmenter": segmenter.SegmenterRecipe,
}


def test_recipes_are_read_and_the_judge_shares_no_index_with_the_backbone() -> None:
    spans = {name: load_config(RECIPES / f"{name}.yaml", kind).train for name, kind in SPANS.items()}
    seen = {name: set(range(span.start, span.start + span.count)) for name, span in spans.items()}
    assert all(span.split == "train" for span in spans.values())
    for other in ("vae", "unet"):
        assert not seen["judge"] & seen[other]
        assert not seen["probe"] & seen[other]


def test_folding_statistics_standardises_latents_and_changes_no_picture(tmp_path: Path) -> None:
    torch.manual_seed(0)
    recipe = vae.VaeRecipe(channels=(8, 8, 16), train=Range(count=32), fit=FIT)
    model = vae.build(recipe).eval()
    corpus = renders(recipe.train, tmp_path)
    pictures = corpus.images(list(range(32))) * 2 - 1
    with torch.no_grad():
        before = model.decode(model.encode(pictures).latent_dist.mean).sample
        variance = model.encode(pictures).latent_dist.logvar
        scale = model.encode(pictures).latent_dist.mean.double().std((0, 2, 3)).float()
        vae.fold_statistics(model, [pictures])
        posterior = model.encode(pictures).latent_dist
        after = model.decode(posterior.mean).sample
    assert posterior.mean.mean((0, 2, 3)).abs().max() < 1e-3
    assert (posterior.mean.std((0, 2, 3)) - 1).abs().max() < 1e-3
    assert torch.allclose(posterior.logvar, variance - 2 * scale.log()[None, :, None, None], atol=1e-3)
    assert torch.allclose(before, after, atol=1e-4)


def test_the_tokenizer_survives_a_folder_and_reads_any_letter(tmp_path: Path) -> None:
    from transformers import CLIPTokenizer

    tokenizer = build_tokenizer(CAPTIONS)
    tokenizer.save_pretrained(tmp_path)
    again = CLIPTokenizer.from_pretrained(tmp_path)
    for text in (CAPTIONS[0], "Xylophone, 42!", "žluťoučký 象", ""):
        assert tokenizer(text)["input_ids"] == again(text)["input_ids"]
        assert tokenizer.eos_token_id not in tokenizer(text)["input_ids"][1:-1]
    lengths = [len(tokenizer(scene("test", i).caption)["input_ids"]) for i in range(300)]
    assert max(lengths) <= MAX_TOKENS
    assert (
        tokenizer.decode(tokenizer(CAPTIONS[0])["input_ids"], skip_special_tokens=True).strip() == CAPTIONS[0]
    )


def test_one_word_of_the_world_is_one_token() -> None:
    tokenizer = build_tokenizer(CAPTIONS)
    assert [len(tokenizer(word)["input_ids"]) for word in ("umbrella", "butterfly", "striped")] == [3, 3, 3]


def test_denoising_loss_of_a_perfect_and_of_a_silent_model() -> None:
    schedule = unet.scheduler()
    clean, captions = torch.randn(64, 4, 16, 16), torch.zeros(64, 32, dtype=torch.long)

    class Text(torch.nn.Module):
        def forward(self, ids: torch.Tensor) -> Any:
            return type("States", (), {"last_hidden_state": torch.zeros(len(ids), 32, 8)})

    class Guess(torch.nn.Module):
        def __init__(self, gain: float) -> None:
            super().__init__()
            self.gain = torch.nn.Parameter(torch.tensor(gain))

        def forward(self, noisy: torch.Tensor, times: torch.Tensor, states: torch.Tensor) -> Any:
            alpha = schedule.alphas_cumprod[times][:, None, None, None]
            noise = (noisy - alpha.sqrt() * clean) / (1 - alpha).sqrt()
            return type("Output", (), {"sample": noise * self.gain})

    def loss(gain: float) -> dict[str, torch.Tensor]:
        model = torch.nn.ModuleDict({"unet": Guess(gain), "text": Text()})
        predict = partial(unet.predict_noise, model, captions)
        return denoising_loss(predict, schedule, clean, 5.0, torch.Generator().manual_seed(1))

    assert loss(1.0)["mse"] < 1e-6
    assert abs(loss(0.0)["mse"].item() - 1) < 0.02
    assert loss(0.0)["loss"] < loss(0.0)["mse"]


def test_contrastive_loss_is_clips_where_captions_differ() -> None:
    torch.manual_seed(0)
    logits, ids = torch.randn(8, 8), torch.arange(8)[:, None]
    target = torch.arange(8)
    expected = (
        torch.nn.functional.cross_entropy(logits, target)
        + torch.nn.functional.cross_entropy(logits.T, target)
    ) / 2
    assert torch.allclose(judge.contrastive_loss(logits, ids), expected)


def test_retrieval_counts_an_equal_caption_as_right() -> None:
    similarity = torch.tensor([[0.1, 0.9], [0.9, 0.1]])
    assert judge.retrieval_top1(similarity, ["a", "b"], group=2) == 0
    assert judge.retrieval_top1(similarity, ["a", "a"], group=2) == 1
    assert judge.retrieval_top1(torch.eye(2), ["a", "b"], group=2) == 1


def test_degrading_changes_about_half_and_stays_in_range() -> None:
    pictures = torch.stack([torch.from_numpy(render(scene("train", i)).image) for i in range(64)])
    pictures = pictures.movedim(-1, 1).float() / 255
    worse = degrade(pictures, torch.Generator().manual_seed(0))
    changed = (worse != pictures).flatten(1).any(1).float().mean()
    assert 0.3 < changed < 0.7
    assert worse.min() >= 0
    assert worse.max() <= 1


def test_labels_are_those_of_the_scenes() -> None:
    scenes = Range(count=20, things=1).scenes()
    labels = attribute_labels(scenes)
    from lepbench.sketchworld import ATTRIBUTES

    for i, there in enumerate(scenes):
        assert ATTRIBUTES["shape"][labels["shape"][i]] == there.things[0].shape
        assert ATTRIBUTES["background"][labels["background"][i]] == there.background


def test_renders_are_kept_and_equal_the_scenes(tmp_path: Path) -> None:
    span = Range(count=6, start=40)
    first, again = renders(span, tmp_path), renders(span, tmp_path)
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.pixels[2, ..., :3], render(scene("train", 42)).image)
    assert np.array_equal(first.masks([2])[0].numpy(), render(scene("train", 42)).mask)


@pytest.mark.slow
def test_renders_of_several_processes_are_those_of_one(tmp_path: Path) -> None:
    many = renders(Range(count=CHUNK + 2), tmp_path)
    assert np.array_equal(many.pixels[-2:], renders(Range(count=2, start=CHUNK), tmp_path).pixels)


def test_weights_come_back_and_a_missing_or_damaged_file_is_one_line(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Segmenter().eval()
    save_weights(model, tmp_path)
    again = load_weights(Segmenter(), tmp_path)
    pictures = torch.rand(2, 3, 64, 64)
    assert torch.allclose(model(pictures), again(pictures), atol=2e-2)
    with pytest.raises(LepbenchError, match="missing weight file"):
        load_weights(Probe(), tmp_path / "nowhere")
    with pytest.raises(LepbenchError, match="does not fit"):
        load_weights(Probe(), tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(LepbenchError, match="is no safetensors file"):
        load_weights(Segmenter(), tmp_path)
