"""Triplets of image, edge map and caption, encoded by the frozen backbone for a dedicated encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.detectors import Canny
from lepbench.files import sha256_bytes
from lepbench.mini.corpus import Range, Renders, renders
from lepbench.mini.unet import cached_latents
from lepbench.seeds import is_held_out

CAPTIONS_AT_ONCE = 256


@dataclass(frozen=True)
class ControlTriplets:
    """N triplets on the CPU.

    Attributes:
        ids: names of the scenes.
        latents: float16 [N, 4, 16, 16], scaled.
        strokes: bool [N, 64, 64], true on an edge.
        states: float32 [N, 32, D], the encoded captions.
        empty: float32 [32, D], the encoded empty caption.
    """

    ids: tuple[str, ...]
    latents: Tensor
    strokes: Tensor
    states: Tensor
    empty: Tensor

    def __len__(self) -> int:
        return len(self.ids)

    def pictures(self, rows: Tensor) -> Tensor:
        """The control pictures float [B, 3, 64, 64]: a stroke is 1, everything else 0."""
        return draw_control(self.strokes[rows])

    def take(self, rows: Sequence[int]) -> ControlTriplets:
        """The triplets at `rows`."""
        chosen = torch.tensor(rows, dtype=torch.long)
        return ControlTriplets(
            ids=tuple(self.ids[row] for row in rows),
            latents=self.latents[chosen],
            strokes=self.strokes[chosen],
            states=self.states[chosen],
            empty=self.empty,
        )


def draw_control(strokes: Tensor) -> Tensor:
    """The picture that a dedicated encoder reads: white strokes on black, float32 [B, 3, H, W].

    Args:
        strokes: bool [B, H, W].
    """
    return strokes.float()[:, None].expand(-1, 3, -1, -1)


class EncodedScenes(NamedTuple):
    """N scenes on the CPU: renders, and latents and captions as in `ControlTriplets`."""

    corpus: Renders
    latents: Tensor
    states: Tensor
    empty: Tensor


def encode_scenes(backbone: Backbone, span: Range, folder: Path, cache: Path) -> EncodedScenes:
    """Pictures and captions of every scene of a range.

    Args:
        folder: keeps the latents.
        cache: keeps the renders.
    """
    corpus = renders(span, cache)
    # Of this range by this VAE: another recipe in the same folder has others.
    named = sha256_bytes(f"{span.model_dump_json()} {sorted(backbone.files_sha256.items())}".encode())
    latents = cached_latents(backbone.vae, corpus, folder / f"latents-{named[:12]}.npy", "fp32")
    states = encode_captions(backbone, [*(scene.caption for scene in corpus.scenes), ""])
    return EncodedScenes(corpus, torch.from_numpy(np.array(latents)), states[:-1], states[-1])


def encode_range(
    backbone: Backbone, span: Range, detector: Canny, folder: Path, cache: Path
) -> ControlTriplets:
    """Every scene of a range as a triplet: those that `lepbench build-data` makes of sketchworld.

    Args:
        folder, cache: as for `encode_scenes`.
    """
    corpus, latents, states, empty = encode_scenes(backbone, span, folder, cache)
    return ControlTriplets(
        ids=tuple(scene.id for scene in corpus.scenes),
        latents=latents,
        strokes=find_strokes(corpus, detector),
        states=states,
        empty=empty,
    )


def find_strokes(corpus: Renders, detector: Canny) -> Tensor:
    """The edge maps of all renders, bool [N, 64, 64]."""
    return torch.from_numpy(detector.of_pixels(corpus.pixels[..., :3]))


def encode_captions(backbone: Backbone, captions: Sequence[str]) -> Tensor:
    """Text embeddings float32 [N, 32, D] on the CPU."""
    parts = [
        backbone.encode_prompts(captions[first : first + CAPTIONS_AT_ONCE])["embeddings"].cpu()
        for first in range(0, len(captions), CAPTIONS_AT_ONCE)
    ]
    return torch.cat(parts)


def split_held_out(data: ControlTriplets, share: float) -> tuple[ControlTriplets, ControlTriplets]:
    """Training and held-out triplets, divided as `lepbench train-lep` divides them."""
    held = [is_held_out(name, share) for name in data.ids]
    training = data.take([row for row, out in enumerate(held) if not out])
    return training, data.take([row for row, out in enumerate(held) if out])
