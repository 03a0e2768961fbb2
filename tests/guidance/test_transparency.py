"""Drawings and importance maps on transparent ground."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lepbench.errors import LepbenchError
from lepbench.guidance.importance import find_uniform, read_weights
from lepbench.guidance.ink import BLACK_ON_WHITE
from lepbench.guidance.sketch import ON_TRANSPARENT, read_image, read_sketch

INKS = {"black": (0, 0, 0), "white": (255, 255, 255), "cream": (250, 248, 240), "yellow": (255, 240, 0)}


@pytest.fixture
def strokes() -> np.ndarray:
    strokes = np.zeros((64, 64), bool)
    strokes[10:50, 12] = strokes[30, 10:60] = strokes[5, 5:60] = True
    return strokes


def paint(strokes: np.ndarray, ink: tuple[int, ...]) -> Image.Image:
    rgba = np.zeros((*strokes.shape, 4), np.uint8)
    rgba[strokes] = (*ink, 255)
    return Image.fromarray(rgba)


@pytest.mark.parametrize("ink", INKS)
@pytest.mark.parametrize(
    "kind", ["rgba.png", "rgba.webp", "rgba.tiff", "palette.png", "palette.gif", "la.png"]
)
def test_ink_of_any_colour_is_read_on_transparent_ground(
    strokes: np.ndarray, ink: str, kind: str, tmp_path: Path
) -> None:
    path, mode = tmp_path / kind, kind.split(".")[0]
    image = paint(strokes, INKS[ink])
    if mode == "la":
        image.convert("LA").save(path)
    elif mode == "palette":
        indices = Image.fromarray(strokes.astype(np.uint8), "P")
        indices.putpalette([255, 255, 255, *INKS[ink]])
        indices.save(path, transparency=0)
    else:
        options: dict[str, Any] = {"lossless": True} if path.suffix == ".webp" else {}
        image.save(path, **options)
    sketch = read_sketch(path)
    assert np.array_equal(sketch.strokes, strokes)
    assert sketch.polarity == (ON_TRANSPARENT if ink in ("white", "cream") else BLACK_ON_WHITE)


@pytest.mark.parametrize("mode", ["PA", "La", "RGBa", "LA", "RGBA"])
def test_every_mode_with_opacity_is_read(strokes: np.ndarray, mode: str) -> None:
    image = paint(strokes, INKS["white"])
    if mode in ("La", "PA"):
        image = image.convert("LA")
    assert np.array_equal(read_image(image.convert(mode)).strokes, strokes)


@pytest.mark.parametrize(("ground", "ink"), [(0, 65535), (65535, 0)])
def test_a_transparent_level_of_16_bits_is_read(
    strokes: np.ndarray, ground: int, ink: int, tmp_path: Path
) -> None:
    image = Image.fromarray(np.where(strokes, ink, ground).astype(np.uint16))
    image.save(tmp_path / "deep.png", transparency=ground)
    assert np.array_equal(read_sketch(tmp_path / "deep.png").strokes, strokes)


def test_opacity_that_is_the_same_everywhere_says_nothing(strokes: np.ndarray) -> None:
    grey = np.where(strokes, 0, 255).astype(np.uint8)
    for opacity in (255, 128):
        image = Image.fromarray(np.dstack([grey, grey, grey, np.full_like(grey, opacity)]))
        assert np.array_equal(read_image(image).strokes, strokes)


def test_black_lines_around_white_fill_are_the_drawing() -> None:
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[10:54, 10:54] = (0, 0, 0, 255)
    rgba[12:52, 12:52] = 255
    expected = np.zeros((64, 64), bool)
    expected[10:54, 10:54] = True
    expected[12:52, 12:52] = False
    assert np.array_equal(read_image(Image.fromarray(rgba)).strokes, expected)


def test_lines_cut_out_of_a_white_sheet_are_the_drawing(strokes: np.ndarray) -> None:
    rgba = np.full((64, 64, 4), 255, np.uint8)
    rgba[strokes, 3] = 0
    sketch = read_image(Image.fromarray(rgba))
    assert np.array_equal(sketch.strokes, strokes)
    assert sketch.polarity == ON_TRANSPARENT


def test_a_wholly_transparent_picture_holds_no_strokes() -> None:
    with pytest.raises(LepbenchError, match="holds no strokes"):
        read_image(Image.new("RGBA", (64, 64), (0, 0, 0, 0)))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_in_an_importance_map_does_not_matter(mode: str, tmp_path: Path) -> None:
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[:, :32] = 255
    rgba[:, 32:48] = (255, 255, 255, 51)
    Image.fromarray(rgba).convert(mode).save(tmp_path / "left.png")
    weights = read_weights(tmp_path / "left.png", (64, 64))
    expected = np.repeat([1, 0.2, 0], [32, 16, 16])[None].repeat(64, 0)
    assert np.allclose(weights, expected)
    assert not find_uniform(weights)


def test_an_importance_map_of_one_level_is_uniform(tmp_path: Path) -> None:
    Image.new("L", (40, 40), 200).save(tmp_path / "grey.png")
    assert find_uniform(read_weights(tmp_path / "grey.png", (64, 64)))
    assert not find_uniform(np.zeros((4, 4)))
    Image.new("RGBA", (40, 40), (255, 255, 255, 0)).save(tmp_path / "nothing.png")
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[:9, :, 3] = 255
    Image.fromarray(rgba).save(tmp_path / "black.png")
    with pytest.raises(LepbenchError, match=r"black.png is black or transparent everywhere: .*; paint what"):
        read_weights(tmp_path / "black.png", (64, 64))
