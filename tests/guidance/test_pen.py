"""Thick pens become thin lines, silhouettes outlines, and edge maps stay as they are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, label
from skimage.morphology import skeletonize

from lepbench.guidance.fit import fit_strokes
from lepbench.guidance.pen import find_wide_strokes, fit_lines, thin_strokes
from lepbench.suites import load_suite

SIZE = (64, 64)
HEART = np.array([(256, 420), (90, 230), (130, 110), (256, 170), (382, 110), (422, 230)], np.int32)


def draw(width: int) -> np.ndarray:
    canvas = np.zeros((512, 512), np.uint8)
    cv2.polylines(canvas, [HEART], True, 1, width)
    return canvas > 0


@pytest.mark.parametrize("suite", ["sketchworld-edges-v1", "sketchworld-freehand-v1"])
def test_the_shipped_suites_are_kept(suite: str) -> None:
    assert not [item.item_id for item in load_suite(suite)[:] if find_wide_strokes(item.sketch, 4)]


@pytest.mark.parametrize("width", [24, 32, 48, 64])
def test_a_thick_pen_is_redrawn_along_its_middle(width: int) -> None:
    lines = fit_lines(draw(width), SIZE, cell=4)
    assert lines is not None
    true = fit_strokes(draw(1), SIZE)
    assert distance_transform_edt(~true)[lines].max() <= 3
    assert distance_transform_edt(~lines)[true].max() <= 3
    assert np.mean(distance_transform_edt(~true)[lines] <= 1) > 0.9
    assert lines.sum() < 3 * skeletonize(lines).sum()
    assert label(lines, np.ones((3, 3)))[1] == 1


@pytest.mark.parametrize("width", [1, 8, 12])
def test_a_thin_pen_is_kept(width: int) -> None:
    assert fit_lines(draw(width), SIZE, cell=4) is None


def test_a_silhouette_becomes_its_outline() -> None:
    canvas = np.zeros((512, 512), np.uint8)
    cv2.fillPoly(canvas, [HEART], 1)
    outline = thin_strokes(canvas > 0)
    true = np.zeros_like(canvas)
    cv2.polylines(true, [HEART], True, 1)
    assert distance_transform_edt(true == 0)[outline].max() <= 1.5
    assert distance_transform_edt(~outline)[true > 0].max() <= 1.5
    lines = fit_lines(canvas > 0, SIZE, cell=4)
    assert lines is not None
    assert not lines[28:40, 24:40].any()


def test_a_bilevel_files_true_is_as_good_as_any() -> None:
    strokes = draw(40)
    # Pillow gives arrays of a bilevel file whose true is the byte 255.
    bytes_of_255 = (strokes.astype(np.uint8) * 255).view(np.bool_)
    lines = [fit_lines(each, SIZE, cell=4) for each in (bytes_of_255, strokes)]
    assert lines[0] is not None
    assert lines[1] is not None
    assert np.array_equal(lines[0], lines[1])


def test_a_drawing_at_the_pictures_own_size_is_thinned_too() -> None:
    thick = cv2.dilate(fit_strokes(draw(1), SIZE).astype(np.uint8), np.ones((6, 6), np.uint8)) > 0
    lines = fit_lines(thick, SIZE, cell=4)
    assert lines is not None
    assert lines.sum() < thick.sum() / 3
    small = fit_strokes(draw(100), (32, 32))
    enlarged = fit_lines(small, SIZE, cell=4)
    assert enlarged is not None
    assert enlarged.shape == SIZE
    assert enlarged.any()
