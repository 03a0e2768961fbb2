"""A suite of sketchworld's test split, made from its recipe.

Done once a suite: then its bytes are frozen, so that neither the renderer nor the detector can move them.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lepbench.config import Config
from lepbench.detectors import AnyDetector, Canny, Sobel
from lepbench.files import sha256_bytes
from lepbench.images import encode_png, to_tensor
from lepbench.progress import Progress, ignore_progress
from lepbench.registry import Registry
from lepbench.strokes import number_strokes
from lepbench.suites.definition import Drawn, SuiteDefinition
from lepbench.suites.freeze import ItemRow, freeze_suite

if TYPE_CHECKING:
    from lepbench.sketchworld import Scene

SILHOUETTE_RECALL = 0.95
SILHOUETTE_TOLERANCE = 1.0
WEAK_SILHOUETTE = f"silhouette recall under {SILHOUETTE_RECALL}"


class SuiteRecipe(Config):
    """How a suite is made; nothing else decides its bytes."""

    name: str
    version: int = 1
    description: str
    size: int = 64
    items: int = 512
    default_items: int = 64
    first_index: int = 0
    detector: AnyDetector
    contour_detector: AnyDetector
    levels: tuple[int, ...] = ()
    """Levels of abstraction of a free-hand suite, in turn; none for a suite of edge maps."""


RECIPES: Registry[SuiteRecipe] = Registry("suite recipe")
RECIPES.register("sketchworld-edges-v1")(
    SuiteRecipe(
        name="sketchworld-edges-v1",
        description=(
            "Captions of sketchworld's test split, with the Canny map of the true render as the sketch. "
            "Scenes come as the split has them, about three in four with one object and the rest with two "
            "in a relation; no shape x colour pair is new. The list is in the order of a hash of the "
            "item's name, so that any number from the front is a fair draw."
        ),
        detector=Canny(low=0.3, high=0.6),
        contour_detector=Sobel(sigma=0.7, thin=True, threshold=0.15),
    )
)
RECIPES.register("sketchworld-freehand-v1")(
    SuiteRecipe(
        name="sketchworld-freehand-v1",
        description=(
            "Captions of sketchworld's test split with free-hand sketches at four levels of abstraction, as "
            "many items at each: the hand wavers, runs past its ends, leaves gaps, simplifies and drops "
            "strokes, more so from level to level. An item's name ends in its level."
        ),
        items=256,
        first_index=10_000,
        detector=Canny(low=0.3, high=0.6),
        contour_detector=Sobel(sigma=0.7, thin=True, threshold=0.15),
        levels=(1, 2, 3, 4),
    )
)


def make_suite(recipe: SuiteRecipe, folder: Path, progress: Progress = ignore_progress) -> SuiteDefinition:
    """Write a suite's two files into `folder` and return its definition.

    Args:
        progress: called with (stage, done, total).
    """
    rows: list[ItemRow] = []
    left_out = 0
    for index in itertools.count(recipe.first_index):
        if len(rows) == recipe.items:
            break
        row = make_candidate(recipe, index)
        left_out += row is None
        rows += [] if row is None else [row]
        progress("items", len(rows), recipe.items)
    rows.sort(key=lambda row: sha256_bytes(f"{recipe.name}/{row['item_id']}".encode()))
    return freeze_suite(
        folder,
        rows,
        edges=not recipe.levels,
        name=recipe.name,
        kind="freehand" if recipe.levels else None,
        version=recipe.version,
        description=recipe.description,
        licence="Apache-2.0",
        size=recipe.size,
        default_items=recipe.default_items,
        detector=recipe.detector.model_dump(),
        contour_detector=recipe.contour_detector.model_dump(),
        drawn=Drawn(
            corpus="sketchworld test",
            first_index=recipe.first_index,
            considered=len(rows) + left_out,
            left_out={} if recipe.levels else {WEAK_SILHOUETTE: left_out},
        ),
    )


def make_candidate(recipe: SuiteRecipe, index: int) -> ItemRow | None:
    """The item at `index` of the test split, or None where its sketch misses too much of the silhouette."""
    from lepbench.sketchworld import scene

    level = recipe.levels[index % len(recipe.levels)] if recipe.levels else None
    return draw_scene(recipe, scene("test", index), level)


def draw_scene(recipe: SuiteRecipe, there: Scene, level: int | None) -> ItemRow | None:
    """The item of a scene, or None where its sketch misses too much of the silhouette.

    Args:
        level: of abstraction of a free-hand sketch; None for the edge map.
    """
    from lepbench.sketchworld import freehand, render

    drawn = render(there, recipe.size)
    if level is not None:
        lines = [stroke.points for stroke in freehand(there, level, recipe.size).strokes]
        name, strokes = f"{there.id}-level{level}", number_strokes(lines, recipe.size)
        sketch = strokes > 0
    else:
        name, strokes = there.id, None
        sketch = recipe.detector(to_tensor(drawn.image)[None])[0].numpy()
        if silhouette_recall(sketch, drawn.masks) < SILHOUETTE_RECALL:
            return None
    return {
        "item_id": name,
        "prompt": there.caption,
        "image": encode_png(drawn.image),
        "sketch": encode_png(sketch),
        "contour": encode_png(drawn.contours),
        "mask": encode_png(drawn.mask),
        "scene": scene_json(there),
        "strokes": None if strokes is None else encode_png(strokes),
    }


def silhouette_recall(sketch: NDArray[np.bool_], masks: NDArray[np.bool_]) -> float:
    """Share of the masks' outline pixels within 1 px (Euclidean) of the sketch; 1 without an outline.

    A pixel is on a mask's outline if it belongs to it and one of its four neighbours inside the picture does
    not: where an object runs out of the picture there is no edge to find.

    Args:
        sketch: bool [H, W].
        masks: bool [N, H, W].
    """
    from scipy import ndimage

    inner = np.stack([ndimage.binary_erosion(mask, border_value=1) for mask in masks])
    outline = (masks & ~inner).any(axis=0)
    if not outline.any():
        return 1.0
    if not sketch.any():
        return 0.0
    distance = ndimage.distance_transform_edt(~sketch)
    return float((distance[outline] <= SILHOUETTE_TOLERANCE).mean())


def scene_json(scene: Scene) -> str:
    """A scene as JSON with sorted keys."""
    return json.dumps(asdict(scene), sort_keys=True)
