"""Lines are read off photographed and scanned drawings, and clean drawings as by one threshold."""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import distance_transform_edt
from skimage.filters import threshold_otsu

from lepbench.errors import LepbenchError
from lepbench.guidance.ink import BLACK_ON_WHITE, WHITE_ON_BLACK
from lepbench.guidance.sketch import extract_strokes
from lepbench.images import Pixels

SIDE = 384
PAPER, BOARD = (236, 234, 228), (52, 60, 56)
INKS = {"black": (28, 27, 30), "blue": (52, 70, 168), "pencil": (158, 157, 156), "yellow": (240, 214, 60)}
Map = NDArray[np.float64]


def hand(x: Map, y: Map) -> Map:
    return (np.hypot(x - 0.8, y - 0.8) < 0.4).astype(float)


SHADOWS: dict[str, Callable[[Map, Map], Map]] = {
    "linear": lambda x, y: (x + y) / 2,
    "vignette": lambda x, y: 2 * ((x - 0.5) ** 2 + (y - 0.5) ** 2),
    "corner": lambda x, y: np.clip(1 - np.hypot(x, y) / 0.7, 0, 1),
    "hand": hand,
}


@pytest.fixture(scope="module")
def lines() -> Map:
    """What a pen of 3 px covers, [SIDE, SIDE] in [0, 1]: a house, a sun and a path."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    for corners in (
        [(80, 330), (80, 180), (190, 90), (300, 180), (300, 330), (80, 330)],
        [(160, 330), (160, 240), (220, 240), (220, 330)],
        [(10, 370), (120, 350), (260, 360), (374, 340)],
    ):
        cv2.polylines(canvas, [np.array(corners, np.int32)], False, 255, 3, cv2.LINE_AA)
    cv2.circle(canvas, (320, 60), 40, 255, 3, cv2.LINE_AA)
    return canvas / 255


def light_up(lines: Map, ink: tuple[int, ...], ground: tuple[int, ...], falloff: Map, noisy: bool) -> Pixels:
    """A page under a shadow of `falloff` grey levels, or a board under so much glare."""
    page = np.array(ground) + lines[..., None] * (np.array(ink, float) - np.array(ground))
    share = falloff[..., None]
    page = page * (1 - share / max(ground)) if max(ground) > 128 else page + share * (1 - page / 255)
    if noisy:
        page = cv2.GaussianBlur(page, (0, 0), 0.8) + np.random.default_rng(0).normal(0, 5, page.shape)
    pixels = page.clip(0, 255).round().astype(np.uint8)
    if not noisy:
        return pixels
    stored = io.BytesIO()
    Image.fromarray(pixels).save(stored, "JPEG", quality=80)
    return np.asarray(Image.open(stored))


def agree(found: NDArray[np.bool_], true: NDArray[np.bool_]) -> tuple[float, float]:
    """Precision and recall at 2 px."""
    near = [distance_transform_edt(~strokes) <= 2 for strokes in (true, found)]
    return float(near[0][found].mean()), float(near[1][true].mean())


@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize("ink", INKS)
def test_lines_are_read_under_any_shadow(lines: Map, ink: str, noisy: bool) -> None:
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE
    for name, shadow in SHADOWS.items():
        for depth in (15, 70):
            page = light_up(lines, INKS[ink], PAPER, depth * shadow(x, y), noisy)
            sketch = extract_strokes(page)
            precision, recall = agree(sketch.strokes, lines > 0.5)
            assert sketch.polarity == BLACK_ON_WHITE
            assert precision > 0.97, (name, depth)
            assert recall > 0.97, (name, depth)
            assert not sketch.notes


@pytest.mark.parametrize("shadow", SHADOWS)
def test_chalk_is_read_on_a_board_with_glare(lines: Map, shadow: str) -> None:
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE
    page = light_up(lines, (206, 208, 204), BOARD, 70 * SHADOWS[shadow](x, y), True)
    sketch = extract_strokes(page)
    assert sketch.polarity == WHITE_ON_BLACK
    assert min(agree(sketch.strokes, lines > 0.5)) > 0.97


def test_the_test_fails_with_one_threshold(lines: Map) -> None:
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE
    page = light_up(lines, INKS["pencil"], PAPER, 70 * hand(x, y), True)
    grey = np.asarray(Image.fromarray(page).convert("L"))
    assert agree(grey <= threshold_otsu(grey), lines > 0.5)[0] < 0.3


def test_a_scanned_page_of_a_library_is_read() -> None:
    strokes = extract_strokes(skimage.data.page()).strokes
    # Otsu makes the left quarter black: 0.36 of the pixels are.
    assert 0.05 < strokes.mean() < 0.15


@pytest.mark.parametrize("width", [1, 4, 12])
@pytest.mark.parametrize("inverted", [False, True])
def test_a_clean_drawing_is_split_as_by_one_threshold(width: int, inverted: bool) -> None:
    canvas = np.full((256, 256), 255, np.uint8)
    cv2.polylines(
        canvas, [np.array([(30, 200), (120, 40), (220, 190)], np.int32)], True, 0, width, cv2.LINE_AA
    )
    cv2.circle(canvas, (60, 60), 40, 0, -1, cv2.LINE_AA)
    drawing = 255 - canvas if inverted else canvas
    level = threshold_otsu(drawing)
    expected = drawing > level if inverted else drawing <= level
    assert np.array_equal(extract_strokes(drawing).strokes, expected)


def test_light_ink_beside_dark_ink_is_read() -> None:
    page = np.full((128, 128, 3), 255, np.uint8)
    page[30:33, 10:118] = 0
    page[60:63, 10:118] = (255, 255, 80)
    assert np.array_equal(extract_strokes(page).strokes, (page < 255).any(axis=-1))


def test_ink_of_the_grounds_own_brightness_is_read() -> None:
    page = np.full((96, 96, 3), (60, 160, 60), np.uint8)
    page[40:44, 10:86] = (200, 92, 60)
    strokes = extract_strokes(page).strokes
    assert np.array_equal(strokes, (page == (200, 92, 60)).all(axis=-1))


def test_too_much_ink_is_noted(lines: Map) -> None:
    page = light_up(lines, INKS["black"], PAPER, 0 * lines, False)
    assert not extract_strokes(page).notes
    desk = page.copy()
    desk[:, :120] = (70, 50, 35)
    (note,) = extract_strokes(desk, name="photo.jpg").notes
    assert note.startswith("photo.jpg: 3")
    assert "120 px wide; crop or light it evenly" in note
    corner = page.copy()
    corner[300:, 300:] = 10
    assert "84 px wide" in extract_strokes(corner).notes[0]


def test_a_blank_page_in_a_shadow_holds_no_strokes() -> None:
    page = np.tile(np.linspace(235, 165, 256).round().astype(np.uint8), (256, 1))
    with pytest.raises(LepbenchError, match="page holds no strokes: no line stands out from its ground"):
        extract_strokes(page, name="page")
