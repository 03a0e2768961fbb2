"""Cache of triplets encoded by the frozen backbone, keyed by the hashes of backbone and data."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.conditioning import Conditioning
from lepbench.documents import parse_json
from lepbench.errors import LepbenchError
from lepbench.files import atomic_path, sha256_bytes
from lepbench.images import Pixels, to_tensor
from lepbench.progress import Progress

FORMAT = 5
TEXTS = "texts."
"""Where the names of the captions' tensors begin in a stored file."""
MAPS = ("images", "edges", "strokes", "captions")

BATCH = 32
SHARD = 256
"""Triplets per cache file: the most that an interruption loses, and the captions held in memory."""


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
    """Interface of `lepbench.data.read.Triplets`: length, random access, and a hash of the data."""

    @property
    def identity(self) -> str: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> TripletLike: ...


class CacheShard(NamedTuple):
    """Consecutive triplets of one cache file.

    Attributes:
        ids: names of the triplets.
        new: the captions that no earlier shard has, in order.
        maps: `images`, `edges`, `strokes` and `captions` as in `EncodedTriplets`.
        texts: of `new`; None where there are none.
    """

    ids: tuple[str, ...]
    new: tuple[str, ...]
    maps: dict[str, Tensor]
    texts: Conditioning | None


@dataclass(frozen=True)
class EncodedTriplets:
    """N triplets in latent space, on the CPU.

    Attributes:
        identity: hash of the data they were encoded from.
        ids: names of the triplets.
        images, edges: float32 `[N, C, h, w]`.
        strokes: bool `[N, h, w]`, where some pixel of a latent's patch is a stroke (half white or more).
        texts: text embeddings of every distinct caption, in float16 (a tenth of a per cent of
            error, half the disk space) where it holds them, by shard; those of cache files are read on
            demand.
        captions: `[N]`, each triplet's row of all `texts` in order.
    """

    identity: str
    ids: tuple[str, ...]
    images: Tensor
    edges: Tensor
    strokes: Tensor
    texts: tuple[Conditioning, ...]
    captions: Tensor

    def __len__(self) -> int:
        return len(self.ids)

    def text(self, rows: Tensor) -> Conditioning:
        """The text embeddings of the triplets at `rows`, in float32; only these are read from cache files."""
        ends = list(accumulate(len(texts) for texts in self.texts))
        picked = []
        for row in self.captions[rows].tolist():
            shard = bisect_right(ends, row)
            first = ends[shard] - len(self.texts[shard])
            picked.append(self.texts[shard].take(torch.tensor([row - first])))
        return Conditioning.cat(picked).to(torch.float32)

    def take(self, rows: Sequence[int]) -> EncodedTriplets:
        """The triplets at `rows`; the captions' embeddings are shared."""
        chosen = torch.tensor(rows, dtype=torch.int64)
        return replace(
            self,
            ids=tuple(self.ids[row] for row in rows),
            **{name: getattr(self, name)[chosen] for name in MAPS},
        )


def encode_triplets(
    backbone: Backbone, data: TripletSource, cache: Path, progress: Progress
) -> EncodedTriplets:
    """Encode every triplet, or read cached encodings of the same data by the same backbone.

    Valid cache files of an interrupted or damaged encoding are kept, and the others are made.

    Raises:
        LepbenchError: there is no triplet, or the cache folder cannot be written.
    """
    if not len(data):
        raise LepbenchError("the data set holds no triplet", "build it with 'lepbench build-data'")
    folder = cache / _key(backbone, data)
    shards, known = [], dict[str, int]()
    for start in range(0, len(data), SHARD):
        rows = range(start, min(start + SHARD, len(data)))
        path = folder / f"{start // SHARD:05d}.safetensors"
        shard = _read(path)
        if shard is None:
            _write(path, encode_shard(backbone, data, rows=rows, known=known, progress=progress))
            # Read back from the file, so that its captions are not kept in memory.
            shard = _read(path)
        if shard is None:
            raise LepbenchError(f"{path} cannot be read back", "check that the disk is not full or damaged")
        shards.append(shard)
        known |= {text: len(known) + place for place, text in enumerate(shard.new)}
    return join_shards(data.identity, shards)


def encode(backbone: Backbone, data: TripletSource, progress: Progress) -> EncodedTriplets:
    """As `encode_triplets`, without a cache."""
    return join_shards(
        data.identity, [encode_shard(backbone, data, rows=range(len(data)), known={}, progress=progress)]
    )


def join_shards(identity: str, shards: Sequence[CacheShard]) -> EncodedTriplets:
    """The triplets of all shards, in order."""
    return EncodedTriplets(
        identity,
        tuple(name for shard in shards for name in shard.ids),
        texts=tuple(shard.texts for shard in shards if shard.texts is not None),
        **{name: torch.cat([shard.maps[name] for shard in shards]) for name in MAPS},
    )


def encode_shard(
    backbone: Backbone, data: TripletSource, rows: range, known: dict[str, int], progress: Progress
) -> CacheShard:
    """The triplets at `rows`, and those of their captions that are not `known` by their rows yet."""
    ids: list[str] = []
    captions: list[str] = []
    images, edges, strokes = [], [], []
    for start in range(rows.start, rows.stop, BATCH):
        batch = [data[i] for i in range(start, min(start + BATCH, rows.stop))]
        ids += [triplet.id for triplet in batch]
        captions += [triplet.text for triplet in batch]
        images.append(backbone.encode_images(to_tensor(np.stack([triplet.image for triplet in batch]))).cpu())
        maps = to_map(np.stack([triplet.edges for triplet in batch]))
        edges.append(backbone.encode_edges(maps).cpu())
        strokes.append(F.adaptive_max_pool2d(maps, edges[-1].shape[-2:]) >= 0.5)
        progress("encoding pictures", rows.start + len(ids), len(data))
    new = [text for text in dict.fromkeys(captions) if text not in known]
    places = known | {text: len(known) + place for place, text in enumerate(new)}
    texts = []
    for start in range(0, len(new), BATCH):
        texts.append(halve_texts(backbone.encode_prompts(new[start : start + BATCH])))
        progress("encoding captions", min(start + BATCH, len(new)), len(new))
    tensors = (
        torch.cat(images),
        torch.cat(edges),
        torch.cat(strokes),
        torch.tensor([places[text] for text in captions]),
    )
    return CacheShard(
        tuple(ids),
        tuple(new),
        dict(zip(MAPS, tensors, strict=True)),
        Conditioning.cat(texts) if texts else None,
    )


def halve_texts(texts: Conditioning) -> Conditioning:
    """Text embeddings on the CPU in float16; in float32 where some are too large, as some of Qwen's are."""
    half = texts.to("cpu", torch.float16)
    finite = all(bool(tensor.isfinite().all()) for tensor in half.tensors.values())
    return half if finite else texts.to("cpu", torch.float32)


def to_map(stored: NDArray[Any]) -> Tensor:
    """Edge maps bool, or grey maps uint8, `[B, H, W]`, as float32 in [0, 1]."""
    values = torch.from_numpy(stored).float()
    return values / 255 if stored.dtype == np.uint8 else values


def _key(backbone: Backbone, data: TripletSource) -> str:
    """Cache key: the hash of everything that affects the encoding, without the denoiser's weights.

    Its config is included: captions are padded to a width given there.
    """
    part = backbone.family.denoiser
    used = sorted(
        (name, digest)
        for name, digest in backbone.files_sha256.items()
        if name == f"{part}/config.json" or not name.startswith(f"{part}/")
    )
    return sha256_bytes(json.dumps([FORMAT, str(backbone.dtype), used, data.identity]).encode())[:32]


def _write(path: Path, shard: CacheShard) -> None:
    from safetensors.torch import save_file

    texts = {} if shard.texts is None else shard.texts.tensors
    tensors = shard.maps | {f"{TEXTS}{name}": tensor for name, tensor in texts.items()}
    with atomic_path(path) as partial:
        # In one piece: several entries come in any order.
        save_file(tensors, partial, metadata={"names": json.dumps([shard.ids, shard.new])})


def _read(path: Path) -> CacheShard | None:
    """A cached shard; None if it is missing or damaged and has to be made again."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            ids, new = map(tuple, parse_json(file.metadata()["names"], most=None))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        named = [name for name in tensors if name.startswith(TEXTS)]
        texts = {name.removeprefix(TEXTS): tensors.pop(name) for name in named}
        maps = {name: tensors[name] for name in MAPS}
        return CacheShard(ids, new, maps, Conditioning(texts) if texts else None)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
