"""The rows of every table: the model, and the references that its figures are read against."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.evaluation.sample import OK, Sample
from lepbench.files import sha256_bytes
from lepbench.images import Pixels, read_pixels, to_tensor
from lepbench.methods import Method, ModelConfig
from lepbench.suites import Item, Suite

Draw = Callable[[Sequence[Sample]], Tensor]
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
ROWS = ("model", "unguided", "real", "vae", "overlay", "wrong_sketch")
WITHOUT_BACKBONE = ("model", "real", "wrong_sketch")
OF_PICTURES = ("real", "vae")
"""Rows made of an item's real picture, once an item, however many samples the model has."""
LENDERS = {"wrong_sketch": "model"}
"""Rows whose pictures are those of another row, and which."""
BORROWED = tuple(LENDERS)


def list_conditions(model: ModelConfig, suite: Suite) -> tuple[str, ...]:
    """The rows of a model's table on a suite, in their order.

    What a backbone draws is missing where there is none, and real pictures where the suite has none.
    """
    rows = ROWS if model.backbone is not None else WITHOUT_BACKBONE
    return rows if suite.definition.pictures else tuple(row for row in rows if row not in OF_PICTURES)


@dataclass(frozen=True)
class Condition:
    """One row of the table.

    Attributes:
        name: as in the table.
        draw: samples to pictures, float [B, 3, H, W] in [0, 1].
        against_rival: hold the picture against the rival's sketch, contours and mask, not the item's own.
        repeats: whether an item's samples differ; a row that has no noise is drawn once an item.
        depends_on: what the pictures depend on beside suite and protocol; None where they are the model's.
    """

    name: str
    draw: Draw
    against_rival: bool = False
    repeats: bool = True
    depends_on: dict[str, Any] | None = field(default=None)

    def truth(self, sample: Sample) -> Item:
        """The item whose sketch, contours and mask a sample of this row is held against."""
        return sample.rival if self.against_rival else sample.item


def make_model_condition(method: Method) -> Condition:
    """The model that is scored."""
    return Condition("model", _drawing(method))


def make_unguided_condition(method: Method, depends_on: dict[str, Any]) -> Condition:
    """The backbone alone, from the same noise by the same sampler."""
    return Condition("unguided", _drawing(method), depends_on=depends_on)


def make_real_condition() -> Condition:
    """The true picture."""
    return Condition("real", _real, repeats=False, depends_on={})


def make_vae_condition(backbone: Backbone, depends_on: dict[str, Any]) -> Condition:
    """The true picture through the backbone's VAE and back: a reference, not a ceiling."""

    def draw(samples: Sequence[Sample]) -> Tensor:
        return backbone.decode_latents(backbone.encode_images(_real(samples)))

    return Condition("vae", draw, repeats=False, depends_on=depends_on)


def make_overlay_condition(unguided: pa.Table, depends_on: dict[str, Any]) -> Condition:
    """The sketch drawn upon the unguided picture: what a cheat would submit."""
    pictures = StoredPictures(unguided)

    def draw(samples: Sequence[Sample]) -> Tensor:
        return to_tensor(np.stack([overlay_sketch(pictures[s], s.item.sketch) for s in samples]))

    return Condition("overlay", draw, depends_on=depends_on)


def make_wrong_sketch_condition(model: pa.Table) -> Condition:
    """The model's picture held against the next item's sketch: the score of obeying the wrong one."""
    pictures = StoredPictures(model)

    def draw(samples: Sequence[Sample]) -> Tensor:
        return to_tensor(np.stack([pictures[s] for s in samples]))

    return Condition("wrong_sketch", draw, against_rival=True)


class StoredPictures:
    """The stored pictures of a row that is done, by sample."""

    def __init__(self, table: pa.Table) -> None:
        names = zip(table["item_id"].to_pylist(), table["sample_index"].to_pylist(), strict=True)
        stored = zip(table["png"].to_pylist(), table["status"].to_pylist(), strict=True)
        self._png = {name: png for name, (png, status) in zip(names, stored, strict=True) if status == OK}

    def __getitem__(self, sample: Sample) -> Pixels:
        png = self._png.get((sample.item.item_id, sample.index))
        if png is None:
            raise RuntimeError("the picture that it is made of failed")
        return read_pixels(png)


def overlay_sketch(picture: Pixels, sketch: np.ndarray) -> Pixels:
    """A picture with the strokes drawn on it, black or white, whichever stands out from what lies beneath.

    Args:
        picture: uint8 [H, W, 3].
        sketch: bool [H, W].
    """
    drawn = picture.copy()
    if sketch.any():
        grey = picture[sketch].astype(np.float64) @ (0.299, 0.587, 0.114)
        drawn[sketch] = BLACK if grey.mean() > 127.5 else WHITE
    return drawn


def hash_condition(row: Condition, shared: dict[str, Any]) -> str:
    """Content hash that names a reference row's cached table: equal inputs, equal name."""
    named = {"row": row.name, "depends_on": row.depends_on, "shared": shared}
    return sha256_bytes(json.dumps(named, sort_keys=True).encode())


def _real(samples: Sequence[Sample]) -> Tensor:
    pictures = [sample.item.image for sample in samples]
    return to_tensor(np.stack([picture for picture in pictures if picture is not None]))


def _drawing(method: Method) -> Draw:
    def draw(samples: Sequence[Sample]) -> Tensor:
        return method.draw([sample.request for sample in samples])

    return draw
