"""Corpora of pictures laid out as published, from the photographs that scikit-image ships."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from skimage import data

PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png")
CAPTIONS = ("a woman in a suit", "the face of a cat", "a cup of coffee", "a rocket", "a motorcycle")
STYLES = (
    ("Summer", "Dramatic", "Cold_colors"),
    ("photograph_of", "3d_rendering_of", "Marc_Chagall_painting_of"),
    ("a_stag", "a_toy_stag", "an_origami_stag", "a_ghost_stag"),
)
"""The parts of the prompts of the authors' grid."""


def cut_corners(number: int, side: int) -> Image.Image:
    """Corner `number // 5` of photograph `number % 5`, `side` px square."""
    name, corner = PHOTOGRAPHS[number % len(PHOTOGRAPHS)], number // len(PHOTOGRAPHS)
    with Image.open(Path(data.__file__).parent / name) as image:
        half = min(image.size) // 2
        left, top = corner % 2 * (image.width - half), corner // 2 * (image.height - half)
        return image.convert("RGB").crop((left, top, left + half, top + half)).resize((side, side))


def encode(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind)
    return buffer.getvalue()


def write_coco(root: Path, split: str, numbers: Sequence[int]) -> None:
    """`SPLIT/NUMBER.jpg` and `annotations/captions_SPLIT.json`, two captions a photograph."""
    (root / split).mkdir(parents=True)
    (root / "annotations").mkdir(exist_ok=True)
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for number in numbers:
        name = f"{139 + number:012d}.jpg"
        (root / split / name).write_bytes(encode(cut_corners(number, 160), "JPEG"))
        images.append({"id": 139 + number, "file_name": name, "license": 1, "height": 160, "width": 160})
        for way in ("near", "far"):
            caption = f"{CAPTIONS[number % len(CAPTIONS)]} {way} {number}"
            annotations.append({"id": len(annotations), "image_id": 139 + number, "caption": caption})
    licences = [{"id": 1, "name": "Attribution-NonCommercial License", "url": "http://example.org"}]
    written = {"info": {}, "licenses": licences, "images": images, "annotations": annotations}
    (root / "annotations" / f"captions_{split}.json").write_text(json.dumps(written))


def write_multigen(folder: Path, numbers: Sequence[int]) -> None:
    """`data/validation-*.parquet` and `data/test-*.parquet`, pictures of 512 px, as `datasets` has them."""
    (folder / "data").mkdir(parents=True)
    image = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    for split, some in (("validation", numbers), ("test", numbers[:1])):
        cells = [{"bytes": encode(cut_corners(number, 512), "PNG"), "path": None} for number in some]
        texts = [f"{CAPTIONS[number % len(CAPTIONS)]} {number}" for number in some]
        table = pa.table({"image": pa.array(cells, image), "text": pa.array(texts)})
        pq.write_table(table, folder / "data" / f"{split}-00000-of-00001.parquet")


def write_release(folder: Path, side: int = 512) -> None:
    """The sweep and the prompt grid of the method's authors: a sketch each, black on white, and pictures."""
    sweep, grid = folder / "files" / "fidelity_seq", folder / "files" / "prompt_switch"
    for path in (sweep / "edges.jpg", grid / "sketch.png"):
        path.parent.mkdir(parents=True)
        sketch = Image.new("L", (side, side), 255)
        sketch.paste(0, (side // 5, side // 3, 4 * side // 5, side // 3 + 2))
        sketch.paste(0, (side // 2, side // 5, side // 2 + 2, 4 * side // 5))
        sketch.save(path)
    for tenth in range(10):
        cut_corners(tenth, side).save(sweep / f"seed-0_ps-8.0_es-1.6_gs-0.{tenth}.png")
    names = [f"{mood}+{kind}+{what}_0" for mood in STYLES[0] for kind in STYLES[1] for what in STYLES[2]]
    for number, name in enumerate(names):
        cut_corners(number % 20, side).save(grid / f"{name}.png")
