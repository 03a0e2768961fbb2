from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageDraw

from lepbench.errors import LepbenchError
from lepbench.guidance.fit import fit_strokes
from lepbench.guidance.importance import read_weights
from lepbench.guidance.ink import BLACK_ON_WHITE, WHITE_ON_BLACK
from lepbench.guidance.sketch import read_sketch
from lepbench.guidance.strip import CAPTION, MARGIN, draw_strip
from lepbench.panels import draw_strokes


@pytest.fixture
def strokes() -> np.ndarray:
    """A circle and a line, 64x64."""
    image = Image.new("1", (64, 64))
    draw = ImageDraw.Draw(image)
    draw.ellipse((10, 10, 50, 50), outline=1)
    draw.line((0, 60, 63, 55), fill=1)
    return np.asarray(image)


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp", "tiff"])
def test_either_polarity_gives_the_same_strokes(strokes: np.ndarray, suffix: str, tmp_path: Path) -> None:
    for name, lit in ((WHITE_ON_BLACK, strokes), (BLACK_ON_WHITE, ~strokes)):
        path = tmp_path / f"{name}.{suffix}"
        options: dict[str, Any] = {"lossless": True} if suffix == "webp" else {}
        Image.fromarray(lit.astype(np.uint8) * 255).save(path, **options)
        sketch = read_sketch(path, (64, 64))
        assert sketch.polarity == name
        assert np.array_equal(sketch.strokes, strokes)


def test_ink_on_transparent_paper_and_bilevel_files_are_read(strokes: np.ndarray, tmp_path: Path) -> None:
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[strokes, 3] = 255
    Image.fromarray(rgba).save(tmp_path / "ink.png")
    Image.fromarray(strokes).save(tmp_path / "bits.png")
    assert np.array_equal(read_sketch(tmp_path / "ink.png").strokes, strokes)
    assert np.array_equal(read_sketch(tmp_path / "bits.png").strokes, strokes)


def test_pencil_on_grey_paper_through_jpeg_is_read(strokes: np.ndarray, tmp_path: Path) -> None:
    grey = np.where(strokes, 120, 205) + np.random.default_rng(0).normal(0, 4, strokes.shape)
    Image.fromarray(grey.astype(np.uint8)).save(tmp_path / "pencil.jpg", quality=95)
    sketch = read_sketch(tmp_path / "pencil.jpg")
    assert sketch.polarity == BLACK_ON_WHITE
    assert (sketch.strokes == strokes).mean() > 0.99


def test_of_a_half_filled_drawing_the_border_tells_the_ground(tmp_path: Path) -> None:
    light = np.zeros((64, 64), np.uint8)
    light[8:56, 8:56] = 255  # 56 % of the pixels
    Image.fromarray(light).save(tmp_path / "block.png")
    sketch = read_sketch(tmp_path / "block.png")
    assert sketch.polarity == WHITE_ON_BLACK
    assert np.array_equal(sketch.strokes, light > 0)


def test_another_size_is_refused_with_both_sizes_and_the_way_out(strokes: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(strokes[:48]).save(tmp_path / "wide.png")
    with pytest.raises(LepbenchError, match=r"is 64x48 px and the model draws 32x32 px; .* --resize"):
        read_sketch(tmp_path / "wide.png", (32, 32))
    fitted = read_sketch(tmp_path / "wide.png", (32, 32), resize=True).strokes
    assert fitted.shape == (32, 32)
    # Padded above and below by an eighth each: the drawing keeps its proportions.
    assert not fitted[:4].any()
    assert not fitted[28:].any()
    assert fitted.any()


def touch(pixel: int, cell: int, side: Fraction) -> bool:
    """Whether a pixel and a cell of `side` pixels overlap on an axis."""
    return pixel < (cell + 1) * side and pixel + 1 > cell * side


@settings(deadline=None)
@given(
    hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=13)),
    st.tuples(st.integers(1, 11), st.integers(1, 11)),
)
def test_fitting_loses_no_stroke_and_invents_none(strokes: np.ndarray, size: tuple[int, int]) -> None:
    fitted = fit_strokes(strokes, size)
    assert fitted.shape == size
    height, width = strokes.shape
    # The smallest canvas of the wanted proportions, rounded up, with the drawing in its middle.
    tall = max(height, math.ceil(Fraction(width * size[0], size[1])))
    wide = max(width, math.ceil(Fraction(height * size[1], size[0])))
    top, left = (tall - height) // 2, (wide - width) // 2
    expected = np.zeros(size, bool)
    for y, x in zip(*np.nonzero(strokes), strict=True):
        rows = [row for row in range(size[0]) if touch(int(y) + top, row, Fraction(tall, size[0]))]
        columns = [
            column for column in range(size[1]) if touch(int(x) + left, column, Fraction(wide, size[1]))
        ]
        expected[np.ix_(rows, columns)] = True
    assert np.array_equal(fitted, expected)


def test_what_is_no_drawing_is_one_line(tmp_path: Path) -> None:
    Image.new("L", (64, 64), 250).save(tmp_path / "blank.png")
    with pytest.raises(LepbenchError, match=r"blank.png holds no strokes"):
        read_sketch(tmp_path / "blank.png")
    (tmp_path / "text.png").write_text("not an image")
    with pytest.raises(LepbenchError, match=r"text.png is not an image"):
        read_sketch(tmp_path / "text.png")
    with pytest.raises(LepbenchError, match=r"no such image: .*absent.png"):
        read_sketch(tmp_path / "absent.png")


def test_importance_is_fitted_as_its_sketch_is(tmp_path: Path) -> None:
    grey = np.zeros((20, 40), np.uint8)
    grey[:, 20:] = 255
    Image.fromarray(grey).save(tmp_path / "right.png")
    weights = read_weights(tmp_path / "right.png", (20, 20))
    assert np.array_equal(weights, np.where(np.arange(20) < 10, 0, 1)[None].repeat(20, 0))
    Image.fromarray(0 * grey).save(tmp_path / "black.png")
    with pytest.raises(LepbenchError, match=r"black.png is black: .*; paint what matters white"):
        read_weights(tmp_path / "black.png", (20, 20))


def test_a_long_caption_stays_under_its_own_panel() -> None:
    panel = np.zeros((64, 64, 3), np.uint8)
    sheet = draw_strip([("a very long caption " * 9, panel), ("", panel)])
    below = sheet[MARGIN + 320 + 2 :]
    assert (below[:, : MARGIN + 320] < 200).any()
    assert (below[:, MARGIN + 320 :] == 255).all()


def test_the_strip_shows_every_panel_enlarged_and_sharp(strokes: np.ndarray) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    sheet = draw_strip([("sketch", draw_strokes(strokes)), ("result", picture)])
    side = 320
    assert sheet.shape == (2 * MARGIN + side + CAPTION, 3 * MARGIN + 2 * side, 3)
    centres = slice(MARGIN + 2, MARGIN + side, 5)
    left = sheet[centres, MARGIN + 2 : MARGIN + side : 5]
    right = sheet[centres, 2 * MARGIN + side + 2 : 2 * MARGIN + 2 * side : 5]
    assert np.array_equal(left[..., 0] == 0, strokes)
    assert np.array_equal(right, picture)
