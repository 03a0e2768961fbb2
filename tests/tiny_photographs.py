"""A suite of photographs, and pictures that stand for what a model drew of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from tiny_judges import PHOTOGRAPHS, read_photograph

from lepbench.detectors import Canny
from lepbench.images import encode_png, to_tensor
from lepbench.suites import Suite, name_picture
from lepbench.suites.definition import Drawn
from lepbench.suites.freeze import freeze_suite

PRECOMPUTED = {"name": "precomputed"}


def freeze_photographs(folder: Path, *, size: int, items: int, low: float = 0.3, high: float = 0.6) -> Suite:
    """Corners of the photographs of scikit-image with their Canny maps, and what each shows as its class."""
    detector = Canny(low=low, high=high)
    rows = []
    for number in range(items):
        name = list(PHOTOGRAPHS)[number % len(PHOTOGRAPHS)]
        corner = number // len(PHOTOGRAPHS)
        image = read_photograph(name)
        side = min(image.size) // 2
        left, top = corner % 2 * (image.width - side), corner // 2 * (image.height - side)
        pixels = np.array(image.crop((left, top, left + side, top + side)).resize((size, size)))
        rows.append(
            {
                "item_id": f"{name}-{corner}",
                "prompt": PHOTOGRAPHS[name],
                "image": encode_png(pixels),
                "sketch": encode_png(detector(to_tensor(pixels)[None])[0].numpy()),
                "label": PHOTOGRAPHS[name].split()[-1],
            }
        )
    freeze_suite(
        folder,
        rows,
        name=folder.name,
        edges=True,
        protocol="lepbench-photographs-v1",
        version=1,
        description="Photographs that scikit-image ships.",
        licence="see scikit-image",
        size=size,
        default_items=items,
        detector=detector.model_dump(),
        drawn=Drawn(corpus="scikit-image", first_index=0, considered=items, left_out={}),
    )
    return Suite(folder)


def save_variants(suite: Suite, folder: Path, samples: int) -> Path:
    """Each item's picture with other colours and noise: what a model might have drawn."""
    folder.mkdir()
    for number, item in enumerate(suite):
        assert item.image is not None
        for index in range(samples):
            random = np.random.default_rng([number, index])
            shaded = item.image * random.uniform(0.6, 1, 3) + 12 * random.standard_normal(item.image.shape)
            picture = Image.fromarray(shaded.clip(0, 255).astype(np.uint8))
            picture.save(folder / name_picture(item.item_id, index))
    return folder


def freeze_drawings(folder: Path, *, size: int) -> Suite:
    """Two drawings of one stroke each, without pictures."""
    rows = []
    for place in (size // 4, size // 2):
        strokes = np.zeros((size, size), np.uint8)
        strokes[place, 8:-8] = 1
        sketch = encode_png(strokes > 0)
        rows.append(
            {
                "item_id": str(place),
                "prompt": f"a line {place}",
                "sketch": sketch,
                "strokes": encode_png(strokes),
            }
        )
    freeze_suite(
        folder,
        rows,
        name=folder.name,
        protocol="lepbench-drawings-v1",
        version=1,
        description="Lines.",
        licence="CC0-1.0",
        size=size,
        default_items=2,
        detector=Canny().model_dump(),
        drawn=Drawn(corpus="lines", first_index=0, considered=2, left_out={}),
    )
    return Suite(folder)
