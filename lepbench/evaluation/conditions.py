"""The conditions of every table: the model and its references."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.evaluation.finished_pictures import FinishedPictures
from lepbench.evaluation.predicted_edges import PredictedEdges
from lepbench.evaluation.sample import Sample
from lepbench.files import sha256_bytes
from lepbench.images import Pixels, read_pixels, to_channels, to_tensor
from lepbench.methods import Method, ModelConfig
from lepbench.methods.pictures import read_pictures
from lepbench.submitted import find_file, hash_code, is_ours, iterate_code
from lepbench.suites import Item, Suite

Draw = Callable[[Sequence[Sample]], Tensor]
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


@dataclass(frozen=True)
class ConditionKind:
    """A kind of condition.

    Attributes:
        name: its row in every table, and its folder of pictures.
        repeats: whether an item's samples differ; a condition without noise is drawn once an item.
        borrows: the kind whose images are compared with the rival's sketch; None: its own images.
        needs_backbone: it is absent if nothing draws it: the images were generated elsewhere, and the model
            names no other to compare with.
        needs_pictures: it is absent if the suite has no real images.
    """

    name: str
    repeats: bool = True
    borrows: ConditionKind | None = None
    needs_backbone: bool = False
    needs_pictures: bool = False

    def count_samples(self, samples_per_item: int) -> int:
        """Samples per item, if the model has this many."""
        return samples_per_item if self.repeats else 1

    def select_truth(self, sample: Sample) -> Item:
        """The item whose sketch, contours and mask a sample is compared with."""
        return sample.item if self.borrows is None else sample.rival


MODEL = ConditionKind("model")
UNGUIDED = ConditionKind("unguided", needs_backbone=True)
REAL = ConditionKind("real", repeats=False, needs_pictures=True)
VAE = ConditionKind("vae", repeats=False, needs_backbone=True, needs_pictures=True)
OVERLAY = ConditionKind("overlay", needs_backbone=True)
WRONG_SKETCH = ConditionKind("wrong_sketch", borrows=MODEL)
CONDITIONS = {kind.name: kind for kind in (MODEL, UNGUIDED, REAL, VAE, OVERLAY, WRONG_SKETCH)}
"""Every kind by name, in the order of the tables."""


def list_conditions(model: ModelConfig, suite: Suite) -> tuple[ConditionKind, ...]:
    """The conditions that a model is evaluated under on a suite, in the order of the tables."""
    return tuple(
        kind
        for kind in CONDITIONS.values()
        if (model.reference is not None or not kind.needs_backbone)
        and ("picture" in suite.definition.truths or not kind.needs_pictures)
    )


def find_shown(name: str) -> str:
    """The condition whose pictures are those of the one called `name`."""
    borrows = CONDITIONS[name].borrows
    return name if borrows is None else borrows.name


@dataclass
class BatchLimit:
    """The most pictures that are drawn together; None while memory has not run out."""

    pictures: int | None = None


@dataclass(frozen=True)
class Condition:
    """A condition that can be generated.

    Attributes:
        kind: which it is.
        draw: samples to images [B, 3, H, W], float in [0, 1], or uint8 where they are pixels already.
        depends_on: what the images depend on beside suite and protocol, where they are kept for other runs;
            None for images of the model, and for those that cost nothing: they are made by each run.
        files: sources from outside, whose lines are named where drawing fails.
        stored: where the images lie already, so that they are not stored again.
        method: what draws them, if a method does.
        limit: how many are drawn together, once that is fewer than a batch.
        edges: that the model predicts, between drawing and storing.
    """

    kind: ConditionKind
    draw: Draw
    depends_on: dict[str, Any] | None = field(default=None)
    files: tuple[str, ...] = ()
    stored: FinishedPictures | None = None
    method: Method | None = None
    limit: BatchLimit = field(default_factory=BatchLimit)
    edges: PredictedEdges = field(default_factory=PredictedEdges)

    @property
    def name(self) -> str:
        """The kind's."""
        return self.kind.name


def make_model_condition(method: Method, *, keeps_edges: bool = True) -> Condition:
    """The model that is scored.

    Args:
        keeps_edges: whether the edges that it predicts are kept until they are taken.
    """
    modules = iterate_code({**method.weights, **hash_code(method)})
    files = tuple(str(find_file(module)) for module in modules)
    edges = PredictedEdges()
    draw = _drawing(method, edges if keeps_edges else None)
    return Condition(MODEL, draw, files=files, method=method, edges=edges)


def make_unguided_condition(method: Method, depends_on: dict[str, Any]) -> Condition:
    """The backbone alone, from the same noise by the same sampler."""
    return Condition(UNGUIDED, _drawing(method), depends_on, method=method)


def make_real_condition() -> Condition:
    """The real image."""
    return Condition(REAL, lambda samples: to_channels(_stack_real(samples)))


def make_vae_condition(backbone: Backbone, depends_on: dict[str, Any]) -> Condition:
    """The real image through the backbone's VAE and back: a reference, not a ceiling."""

    def draw(samples: Sequence[Sample]) -> Tensor:
        return backbone.decode_latents(backbone.encode_images(to_tensor(_stack_real(samples))))

    return Condition(VAE, draw, depends_on)


def make_overlay_condition(unguided: FinishedPictures) -> Condition:
    """The sketch drawn on the unguided image: what a cheat would submit."""

    def draw(samples: Sequence[Sample]) -> Tensor:
        stored = ((read_pixels(unguided.read(s)), s.item.input) for s in samples)
        return to_channels(np.stack([overlay_sketch(picture, sketch) for picture, sketch in stored]))

    return Condition(OVERLAY, draw)


def make_wrong_sketch_condition(model: FinishedPictures) -> Condition:
    """The model's image compared with the next item's sketch: chance level."""

    def draw(samples: Sequence[Sample]) -> Tensor:
        return to_channels(np.stack([read_pixels(model.read(s)) for s in samples]))

    return Condition(WRONG_SKETCH, draw, stored=model)


def overlay_sketch(picture: Pixels, sketch: np.ndarray) -> Pixels:
    """An image with the strokes drawn on it, black or white, whichever contrasts more.

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
    """Content hash that names a reference condition's cached table: equal inputs, equal name."""
    named = {"row": row.name, "depends_on": row.depends_on, "shared": shared}
    return sha256_bytes(json.dumps(named, sort_keys=True).encode())


def _stack_real(samples: Sequence[Sample]) -> Pixels:
    pictures = [sample.item.image for sample in samples]
    return np.stack([picture for picture in pictures if picture is not None])


def _drawing(method: Method, edges: PredictedEdges | None = None) -> Draw:
    def draw(samples: Sequence[Sample]) -> Tensor:
        requests = [sample.request for sample in samples]
        if edges is None:
            drawn = method.draw(requests)
        else:
            drawn, decode = method.draw_with_edges(requests)
            edges.add(samples, decode)
        label = f"method {type(method).__name__!r}"
        return drawn if is_ours(method) else read_pictures(drawn, len(samples), label)

    return draw
