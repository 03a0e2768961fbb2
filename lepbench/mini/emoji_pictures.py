"""The shipped emoji as training pictures: chosen by split and group, flipped, moved and shrunk at random."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from lepbench.config import Config
from lepbench.emoji.captions import write_captions
from lepbench.emoji.packages import EmojiGroup
from lepbench.emoji.splits import EmojiSplit
from lepbench.emoji.table import SIZE, EmojiTable, load_emoji
from lepbench.images import to_tensor


class EmojiPictures(Config):
    """Which of the shipped emoji are taken.

    Attributes:
        groups: of subjects; none for all.
        count: at most so many, the first.
    """

    splits: tuple[EmojiSplit, ...] = ("train",)
    groups: tuple[EmojiGroup, ...] = ()
    count: int | None = None

    def load(self) -> EmojiImages:
        table = load_emoji().select(self.splits, self.groups)
        return EmojiImages(table.take(range(min(len(table), self.count or len(table)))))


class EmojiImages:
    """Chosen emoji on the CPU.

    Attributes:
        table: N of them.
        images: float32 [N, 3, 64, 64] in [0, 1].
        captions: all captions of each, the usual one first.
    """

    def __init__(self, table: EmojiTable) -> None:
        self.table = table
        self.images = to_tensor(table.pixels)
        columns = (table.rows[name] for name in ("subject", "kind", "set"))
        self.captions = [write_captions(*about) for about in zip(*columns, strict=True)]

    def __len__(self) -> int:
        return len(self.table)


class Augmentation(Config):
    """How pictures are changed in training.

    Attributes:
        flip: share that is mirrored.
        shrink: share that is made smaller, down to `smallest` of its side.
        shift: px that a picture is moved by at most; one that was shrunk moves within the room it has left.
    """

    flip: float = 0.5
    shrink: float = 0.5
    smallest: float = 0.7
    shift: int = 3

    def apply(self, pictures: Tensor, rng: torch.Generator) -> Tensor:
        """Changed pictures of the shape of `pictures`, [B, 3, 64, 64] on white."""
        return torch.stack([self._change(picture, rng) for picture in pictures])

    def _change(self, picture: Tensor, rng: torch.Generator) -> Tensor:
        flip, shrink, size, across, down = torch.rand(5, generator=rng).tolist()
        if flip < self.flip:
            picture = picture.flip(-1)
        side = SIZE
        if shrink < self.shrink:
            side = round(SIZE * (self.smallest + (1 - self.smallest) * size))
            picture = shrink_to(picture, side)
        room = (SIZE - side) // 2 + self.shift
        left, top = ((SIZE - side) // 2 + round((2 * share - 1) * room) for share in (across, down))
        return place(picture, left, top)


def shrink_to(picture: Tensor, side: int) -> Tensor:
    """A picture [3, H, H] in [0, 1] at a smaller size."""
    small = functional.interpolate(picture[None], (side, side), mode="bicubic", antialias=True)
    return small[0].clamp(0, 1)


def place(picture: Tensor, left: int, top: int) -> Tensor:
    """A picture [3, H, H] on a white square of `SIZE` px, cut where it goes beyond."""
    padded = functional.pad(picture, (SIZE, SIZE, SIZE, SIZE), value=1.0)
    return padded[:, SIZE - top : 2 * SIZE - top, SIZE - left : 2 * SIZE - left]
