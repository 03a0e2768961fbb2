"""A CLIP tokenizer for sketchworld's captions: CLIP's byte-pair encoding with a small vocabulary."""

from __future__ import annotations

import json
from collections.abc import Iterable

from transformers import CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
MAX_TOKENS = 32


def build_tokenizer(captions: Iterable[str], vocabulary: int = 640) -> CLIPTokenizer:
    """Learn a `CLIPTokenizer` of 32 tokens at most from captions; it spells any other text by bytes."""
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from tokenizers.normalizers import Lowercase
    from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
    from tokenizers.trainers import BpeTrainer

    learner = Tokenizer(BPE(end_of_word_suffix="</w>"))
    learner.normalizer = Lowercase()
    learner.pre_tokenizer = Sequence(
        [Split(" ", "removed"), ByteLevel(add_prefix_space=False, use_regex=True)]
    )
    letters = sorted(ByteLevel.alphabet())
    trainer = BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[START, END],
        initial_alphabet=letters,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    learner.train_from_iterator(captions, trainer)
    model = json.loads(learner.to_str())["model"]
    vocab: dict[str, int] = model["vocab"]
    # Any byte may end a word, also where no caption had one that did: an unknown token would be read as
    # the end of the caption.
    for letter in letters:
        vocab.setdefault(f"{letter}</w>", len(vocab))
    merges = [tuple(pair) for pair in model["merges"]]
    return CLIPTokenizer(vocab=vocab, merges=merges, pad_token=END, model_max_length=MAX_TOKENS)
