"""Captions as messages to a language model, whose hidden states the denoiser reads."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.family import TextParts
from lepbench.backbones.transformer import TransformerFamily

PLACE = "\ufffc"
"""Stands for a caption in a message."""


class ChatFamily(TransformerFamily):
    """Pipelines that read a language model of Qwen's.

    Attributes:
        length: tokens of a message that the denoiser reads, behind those that are skipped.
    """

    tokenizers: ClassVar = {"tokenizer": "transformers.Qwen2Tokenizer"}
    length: ClassVar[int]

    def count_skipped(self) -> int:
        """Number of tokens at the beginning of a message that the denoiser does not read."""
        return 0

    @abstractmethod
    def write_message(self, text: TextParts, prompt: str) -> str:
        """A caption as the user's message, up to where the language model would answer."""

    def token_limits(self, text: TextParts) -> dict[str, int]:
        return {"tokenizer": self.length}

    def find_tail(self, text: TextParts, tokenizer: str, prompt: str, limit: int) -> str:
        """What is cut off a prompt: the message around it leaves fewer tokens than `limit`."""
        message = self.write_message(text, prompt)
        end = self.write_message(text, PLACE).index(PLACE) + len(prompt)
        read = text.tokenizers[tokenizer](message, verbose=False, return_offsets_mapping=True)
        places = read.offset_mapping[self.count_skipped() :]
        return message[places[limit][0] : end].strip() if len(places) > limit else ""

    def read_states(
        self, text: TextParts, prompts: Sequence[str], padding: str, **options: Any
    ) -> tuple[Sequence[Tensor], Tensor]:
        """Hidden states `[B, L, D]` of all layers and the mask `[B, L]`, 1 a token and 0 padding.

        Args:
            padding: `longest` or `max_length`, as the pipeline pads.
            options: of the language model's call.
        """
        messages = [self.write_message(text, prompt) for prompt in prompts]
        tokens = text.tokens("tokenizer", messages, self.count_skipped() + self.length, padding=padding)
        output = text.encoders["text_encoder"](
            input_ids=tokens.input_ids,
            attention_mask=tokens.attention_mask,
            output_hidden_states=True,
            **options,
        )
        return output.hidden_states, tokens.attention_mask


def write_chat(text: TextParts, prompt: str, thinking: bool) -> str:
    """A message by the tokenizer's own chat template.

    Args:
        thinking: whether the language model would think before it answers.
    """
    message: str = text.tokenizers["tokenizer"].apply_chat_template(
        [{"role": "user", "content": prompt}],
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=thinking,
    )
    return message


def align_tokens(states: Tensor, mask: Tensor, skip: int, length: int) -> Conditioning:
    """Hidden states `[B, L, D]` and their mask as embeddings of `length` tokens, all padding behind.

    Args:
        skip: tokens at the beginning that are left out.
    """
    rows = [row[chosen.bool()][skip:].float() for row, chosen in zip(states, mask, strict=True)]
    padded = [F.pad(row, (0, 0, 0, length - len(row))) for row in rows]
    kept = [F.pad(row.new_ones(len(row)), (0, length - len(row))) for row in rows]
    return Conditioning({"embeddings": torch.stack(padded), "mask": torch.stack(kept)})


def count_tokens(mask: Tensor) -> list[int]:
    """The number of tokens of each sample by its mask `[B, L]`; all L on the meta device."""
    # As bool: a sum in bfloat16 is rounded.
    return [mask.shape[1]] * len(mask) if mask.is_meta else mask.bool().sum(dim=1).tolist()
