"""Tokenizer folders as releases have them, and as they come damaged."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import sentencepiece

from lepbench.backbones import load_backbone
from lepbench.backbones.load import load_tokenizer
from lepbench.errors import LepbenchError

SENTENCES = ["a red fish", "two blue boats", "green hills", "a fish and a boat"]


@pytest.fixture(scope="module")
def pieces() -> bytes:
    """A model of sentencepiece with T5's special tokens."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 5),
        model_writer=model,
        vocab_size=25,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        minloglevel=2,
    )
    return model.getvalue()


@pytest.mark.parametrize(
    ("name", "part"),
    [("pixart-sigma", "tokenizer"), ("sd3", "tokenizer_3"), ("flux-dev", "tokenizer_2")],
)
def test_a_t5_tokenizer_may_be_a_model_of_sentencepiece_alone(
    name: str, part: str, pieces: bytes, tiny_folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_folder_of(name), tmp_path / name))
    (folder / part / "tokenizer.json").unlink()
    config = {"tokenizer_class": "T5Tokenizer", "extra_ids": 100, "legacy": True, "model_max_length": 512}
    (folder / part / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / part / "spiece.model").write_bytes(pieces)
    backbone = load_backbone(folder)
    own = sentencepiece.SentencePieceProcessor(model_proto=pieces)
    tokens = backbone.text.tokens(part, [*SENTENCES, "xyz"], 16).input_ids
    for sentence, row in zip([*SENTENCES, "xyz"], tokens.tolist(), strict=True):
        ids = [*own.encode(sentence), own.eos_id()]
        assert row == ids + [own.pad_id()] * (16 - len(ids))
    assert backbone.encode_prompts(SENTENCES)["embeddings"].isfinite().all()


KINDS = {"tokenizer": "transformers.CLIPTokenizer", "tokenizer_2": "transformers.T5Tokenizer"}


@pytest.mark.parametrize("part", list(KINDS))
def test_no_vocabulary_is_made_up(part: str, tiny_folder_of: Callable[[str], Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_folder_of("flux-dev") / part, tmp_path / part))
    load_tokenizer(folder, KINDS[part])
    (folder / "tokenizer.json").unlink()
    with pytest.raises(LepbenchError, match=rf"missing file .*{part}/tokenizer.json; .*no whole pipeline"):
        load_tokenizer(folder, KINDS[part])


@pytest.mark.parametrize("part", list(KINDS))
@pytest.mark.parametrize("content", ["{", "{}", '{"model": {"type": "Unigram", "vocab": 7}}'])
def test_a_damaged_vocabulary_is_one_line(
    part: str, content: str, tiny_folder_of: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_folder_of("flux-dev") / part, tmp_path / part))
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(LepbenchError, match=f"{part} cannot be loaded: ") as caught:
        load_tokenizer(folder, KINDS[part])
    assert "\n" not in str(caught.value)
