"""Triplets encoded once by the frozen backbone and kept, keyed by the files and the data they came from."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.conditioning import Conditioning
from lepbench.errors import LepbenchError
from lepbench.files import atomic_path, sha256_bytes
from lepbench.images import Pixels, to_tensor

FORMAT = 4
TEXTS = "texts."
"""Where the names of the captions' tensors begin in a stored file."""

BATCH = 32

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total)."""


class TripletLike(Protocol):
    """One triplet: picture uint8 [H, W, 3], edges bool [H, W] or any grey map uint8 [H, W], caption."""

    @property
    def id(self) -> str: ...
    @property
    def image(self) -> Pixels: ...
    @property
    def edges(self) -> NDArray[np.bool_] | NDArray[np.uint8]: ...
    @property
    def text(self) -> str: ...


class TripletSource(Protocol):
    """What `lepbench.data.read.Triplets` offers: length, access by number, and a hash of the data."""

    @property
    def identity(self) -> str: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> TripletLike: ...


@dataclass(frozen=True)
class EncodedTriplets:
    """N triplets in latent space, on the CPU.

    Attributes:
        identity: hash of the data they were encoded from.
        ids: names of the triplets.
        images, edges: float32 `[N, C, h, w]`.
        strokes: bool `[N, h, w]`, where some pixel of a latent's patch is a stroke (half white or more).
        texts: of every different caption what the backbone reads of it, U rows of float16 (half precision: a
            tenth of a per cent of error, against half the disk).
        captions: `[N]`, each triplet's row of `texts`.
    """

    identity: str
    ids: tuple[str, ...]
    images: Tensor
    edges: Tensor
    strokes: Tensor
    texts: Conditioning
    captions: Tensor

    def __len__(self) -> int:
        return len(self.ids)

    def text(self, rows: Tensor) -> Conditioning:
        """The captions of the triplets at `rows`, in float32; of a stored file no more is read."""
        return self.texts.take(self.captions[rows]).to(torch.float32)

    def take(self, rows: Sequence[int]) -> EncodedTriplets:
        """The triplets at `rows`; the captions' embeddings are shared."""
        chosen = torch.tensor(rows, dtype=torch.int64)
        return replace(
            self,
            ids=tuple(self.ids[row] for row in rows),
            images=self.images[chosen],
            edges=self.edges[chosen],
            strokes=self.strokes[chosen],
            captions=self.captions[chosen],
        )


def encode_triplets(
    backbone: Backbone, data: TripletSource, cache: Path, on_progress: Progress
) -> EncodedTriplets:
    """Encode every triplet, or read an earlier encoding by the same files of the same data.

    Raises:
        LepbenchError: there is no triplet, or the cache folder cannot be written.
    """
    if not len(data):
        raise LepbenchError("the data set holds no triplet", "build it with 'lepbench build-data'")
    part = backbone.family.denoiser
    # Captions are padded to a width in the denoiser's config; its weights play no part.
    used = sorted(
        (name, digest)
        for name, digest in backbone.files_sha256.items()
        if name == f"{part}/config.json" or not name.startswith(f"{part}/")
    )
    key = sha256_bytes(json.dumps([FORMAT, str(backbone.dtype), used, data.identity]).encode())
    path = cache / f"{key[:32]}.safetensors"
    stored = _read(path, data.identity)
    if stored is None:
        stored = encode(backbone, data, on_progress)
        _write(path, stored)
    return stored


def to_map(stored: NDArray[Any]) -> Tensor:
    """Edge maps bool, or grey maps uint8, `[B, H, W]`, as float32 in [0, 1]."""
    values = torch.from_numpy(stored).float()
    return values / 255 if stored.dtype == np.uint8 else values


def encode(backbone: Backbone, data: TripletSource, on_progress: Progress) -> EncodedTriplets:
    """As `encode_triplets`, and nothing is stored."""
    ids: list[str] = []
    captions: list[str] = []
    images, edges, strokes = [], [], []
    for start in range(0, len(data), BATCH):
        batch = [data[i] for i in range(start, min(start + BATCH, len(data)))]
        ids += [triplet.id for triplet in batch]
        captions += [triplet.text for triplet in batch]
        images.append(backbone.encode_images(to_tensor(np.stack([triplet.image for triplet in batch]))).cpu())
        maps = to_map(np.stack([triplet.edges for triplet in batch]))
        edges.append(backbone.encode_edges(maps).cpu())
        strokes.append(F.adaptive_max_pool2d(maps, edges[-1].shape[-2:]) >= 0.5)
        on_progress("encoding pictures", len(ids), len(data))
    unique = sorted(set(captions))
    places = {text: place for place, text in enumerate(unique)}
    texts = []
    for start in range(0, len(unique), BATCH):
        texts.append(backbone.encode_prompts(unique[start : start + BATCH]).to("cpu", torch.float16))
        on_progress("encoding captions", min(start + BATCH, len(unique)), len(unique))
    return EncodedTriplets(
        data.identity,
        tuple(ids),
        torch.cat(images),
        torch.cat(edges),
        torch.cat(strokes),
        Conditioning.cat(texts),
        torch.tensor([places[text] for text in captions]),
    )


def _write(path: Path, encoded: EncodedTriplets) -> None:
    from safetensors.torch import save_file

    tensors = {name: getattr(encoded, name) for name in ("images", "edges", "strokes", "captions")}
    tensors |= {f"{TEXTS}{name}": tensor for name, tensor in encoded.texts.tensors.items()}
    with atomic_path(path) as partial:
        save_file(tensors, partial, metadata={"ids": json.dumps(encoded.ids)})


def _read(path: Path, identity: str) -> EncodedTriplets | None:
    """The stored encoding; None where there is none or it is damaged: it is then only made again."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            ids = tuple(json.loads(file.metadata()["ids"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            named = [name for name in tensors if name.startswith(TEXTS)]
            texts = Conditioning({name.removeprefix(TEXTS): tensors.pop(name) for name in named})
            return EncodedTriplets(identity, ids, texts=texts, **tensors)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
