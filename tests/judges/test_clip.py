"""The CLIP scorer against transformers' own path, on a tiny random model with a trained BPE tokenizer."""

import json
import shutil
import string
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy.ndimage import gaussian_filter
from tokenizers import pre_tokenizers, trainers
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer

from lepbench.errors import LepbenchError
from lepbench.images import to_tensor
from lepbench.judges.clip import ClipScorer
from lepbench.metrics.clip import clip_skill, cosine

POSITIONS = 12
CORPUS = [
    "a red house to the left of a tree",
    "two blue fish above a boat",
    "a green cup, a star and a mushroom",
]


def trained_tokenizer() -> CLIPTokenizer:
    """CLIP's own splitting and suffixes, merges learned from the corpus, every byte known."""
    tokenizer = CLIPTokenizer(model_max_length=POSITIONS)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=["<|startoftext|>", "<|endoftext|>"],
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    backend = tokenizer.backend_tokenizer
    backend.train_from_iterator([*CORPUS, " ".join(string.ascii_lowercase)], trainer)
    state = json.loads(backend.to_str())["model"]
    merges = [tuple(merge) for merge in state["merges"]]
    return CLIPTokenizer(vocab=state["vocab"], merges=merges, model_max_length=POSITIONS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIPModel folder with random weights: 32 px pictures, 12 positions, features of 16."""
    folder = tmp_path_factory.mktemp("judge") / "model"
    tokenizer = trained_tokenizer()
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    text = {
        **tower,
        **ends,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": POSITIONS,
        "pad_token_id": 1,
    }
    vision = {**tower, "image_size": 32, "patch_size": 8}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    CLIPImageProcessor(
        size={"shortest_edge": 32},
        crop_size={"height": 32, "width": 32},
        image_mean=[0.4, 0.5, 0.6],
        image_std=[0.2, 0.3, 0.25],
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def scorer(folder: Path) -> ClipScorer:
    return ClipScorer.load(folder)


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    noise = np.random.default_rng(0).random((3, 48, 40, 3))
    smooth = gaussian_filter(noise, (0, 2, 2, 0))
    return (255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)


def test_pictures_are_prepared_as_transformers_prepares_8_bit_ones(
    scorer: ClipScorer, folder: Path, pixels: np.ndarray
) -> None:
    processor = CLIPImageProcessor.from_pretrained(folder)
    expected = processor(images=list(pixels), return_tensors="pt")["pixel_values"]
    prepared = scorer.pixel_values(to_tensor(pixels))
    assert prepared.shape == (3, 3, 32, 32)
    # transformers rounds to 8 bits after each axis, we do not: one level, over the smallest deviation.
    assert (prepared - expected).abs().max() <= 1.1 / 255 / 0.2


def test_without_a_resize_the_features_equal_transformers_bit_for_bit(
    scorer: ClipScorer, folder: Path, pixels: np.ndarray
) -> None:
    square = pixels[:, :32, :32]
    processor, model = CLIPImageProcessor.from_pretrained(folder), CLIPModel.from_pretrained(folder).eval()
    inputs = processor(images=list(square), return_tensors="pt")
    with torch.no_grad():
        expected = model.get_image_features(**inputs).pooler_output
    assert torch.allclose(scorer.image_embedding(to_tensor(square)), expected, atol=1e-5)


def test_features_have_unit_length_and_the_embedding_has_not(scorer: ClipScorer, pixels: np.ndarray) -> None:
    images = to_tensor(pixels)
    features, embedding = scorer.image_features(images), scorer.image_embedding(images)
    assert features.shape == embedding.shape == (3, 16)
    assert features.dtype == embedding.dtype == torch.float32
    assert torch.allclose(features.norm(dim=1), torch.ones(3))
    assert torch.allclose(features, embedding / embedding.norm(dim=1, keepdim=True))
    assert not torch.allclose(embedding.norm(dim=1), torch.ones(3), atol=1e-2)
    assert torch.allclose(scorer.text_features(CORPUS).norm(dim=1), torch.ones(3))


def test_similarity_equals_that_of_the_whole_model(
    scorer: ClipScorer, folder: Path, pixels: np.ndarray
) -> None:
    model = CLIPModel.from_pretrained(folder).eval()
    tokens = scorer.tokenizer(["a red house", "a boat", "a star"], padding=True, return_tensors="pt")
    with torch.no_grad():
        whole = model(pixel_values=scorer.pixel_values(to_tensor(pixels)), **tokens)
    expected = (whole.logits_per_image / model.logit_scale.exp()).diagonal()
    texts = scorer.text_features(["a red house", "a boat", "a star"])
    assert torch.allclose(cosine(scorer.image_embedding(to_tensor(pixels)), texts), expected, atol=1e-5)


def test_long_captions_keep_their_end_token_and_are_counted(scorer: ClipScorer) -> None:
    long = " ".join(CORPUS)
    ids = scorer.token_ids([long, "a cup"])
    assert len(ids[0]) > POSITIONS > len(ids[1])
    cut = scorer.fitted(ids[0])
    assert len(cut) == POSITIONS
    assert cut[-1] == scorer.tokenizer.eos_token_id
    assert cut[:-1] == ids[0][: POSITIONS - 1]
    assert cut == scorer.tokenizer(long, truncation=True)["input_ids"]
    assert scorer.truncated([long, "a cup", long]) == 2
    # Only what lies beyond the limit is lost.
    assert torch.equal(scorer.text_features([long]), scorer.text_features([long + " and a cat"]))
    assert not torch.equal(scorer.text_features([long]), scorer.text_features(["a cup"]))


def test_a_caption_of_exactly_the_limit_is_whole(scorer: ClipScorer) -> None:
    words = next(n for n in range(1, 40) if len(scorer.token_ids(["a " * n])[0]) == POSITIONS)
    assert scorer.truncated(["a " * words]) == 0
    assert scorer.truncated(["a " * (words + 1)]) == 1


def test_a_caption_does_not_depend_on_its_neighbours(scorer: ClipScorer) -> None:
    alone, beside = scorer.text_features(["a cup"]), scorer.text_features(["a cup", " ".join(CORPUS)])
    assert torch.allclose(alone[0], beside[0], atol=1e-6)


def test_a_tokenizer_without_a_limit_is_held_to_the_models(scorer: ClipScorer, folder: Path) -> None:
    unlimited = CLIPTokenizer.from_pretrained(folder, model_max_length=10**30)
    held = ClipScorer(scorer.model, unlimited, scorer.processor)
    assert held.max_tokens == POSITIONS
    assert torch.equal(held.text_features(CORPUS), scorer.text_features(CORPUS))


def test_half_precision_weights_are_scored_in_float32(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "half")
    CLIPModel.from_pretrained(folder).half().save_pretrained(tmp_path / "half")
    assert ClipScorer.load(tmp_path / "half").image_embedding(torch.rand(1, 3, 32, 32)).dtype == torch.float32


@pytest.mark.parametrize(
    "missing",
    ["model.safetensors", "config.json", "tokenizer.json", "preprocessor_config.json", "everything"],
)
def test_a_missing_file_is_one_clear_line(folder: Path, tmp_path: Path, missing: str) -> None:
    broken = tmp_path / "broken"
    if missing != "everything":
        shutil.copytree(folder, broken)
        (broken / missing).unlink()
    with pytest.raises(LepbenchError) as caught:
        ClipScorer.load(broken)
    assert str(broken) in str(caught.value)
    assert "cannot load a model" in str(caught.value) or missing in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_that_lack_a_tensor_are_refused_not_made_up(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    tensors = load_file(broken / "model.safetensors")
    del tensors["visual_projection.weight"]
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(LepbenchError, match=r"visual_projection\.weight"):
        ClipScorer.load(broken)


def test_truncated_weights_are_one_clear_line(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    weights = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(LepbenchError, match="cannot load a model"):
        ClipScorer.load(broken)


def test_skill_is_0_at_a_wrong_caption_and_1_at_reality() -> None:
    wrong, real = np.array([0.1, 0.2, 0.3]), np.array([0.5, 0.6, 0.4])
    assert clip_skill(wrong, wrong, real) == pytest.approx(0)
    assert clip_skill(real, wrong, real) == pytest.approx(1)
    assert clip_skill((real + wrong) / 2, wrong, real) == pytest.approx(0.5)
    resampled = clip_skill(np.stack([wrong, real]), np.stack([wrong] * 2), np.stack([real] * 2))
    assert resampled == pytest.approx([0, 1])
    assert np.isnan(clip_skill(wrong, wrong, wrong))
