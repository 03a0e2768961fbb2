"""Units, percentages, transforms and view boxes, each against its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepbench.sketches.vector.lengths import (
    Viewport,
    fit_view_box,
    parse_length,
    parse_numbers,
    parse_origin,
    parse_share,
    parse_transform,
)

CANVAS = Viewport(300, 400)


@pytest.mark.parametrize(
    ("text", "pixels"),
    [
        ("1in", 96), ("2.54cm", 96), ("25.4mm", 96), ("72pt", 96), ("6pc", 96), ("101.6q", 96), ("12", 12),
        ("12px", 12),
        ("-.5e1", -5), ("50%", 100), ("2em", 32), ("1ex", 8), (" 7 ", 7), ("7 px", 7), ("3MM", 3 * 96 / 25.4),
    ],
)  # fmt: skip
def test_lengths(text: str, pixels: float) -> None:
    assert parse_length(text, 200, math.nan) == pytest.approx(pixels)


@pytest.mark.parametrize("text", [None, "", "auto", "px", "3 4", "3foo", "1e", "calc(3px)"])
def test_what_is_no_length_is_the_default(text: str | None) -> None:
    assert parse_length(text, 200, 7) == 7


def test_shares_and_lists() -> None:
    assert [parse_share(text) for text in (None, "", "0.5", "50%", "-1", "7")] == [1, 1, 0.5, 0.5, 0, 1]
    assert parse_numbers("0,-1-2 .5.5,1e3") == [0, -1, -2, 0.5, 0.5, 1000]
    assert pytest.approx(250 * math.sqrt(2)) == CANVAS.diagonal


def test_transforms_are_products_of_matrices() -> None:
    c, s = math.cos(math.radians(30)), math.sin(math.radians(30))
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    move, size = np.array([[1, 0, 5], [0, 1, 7], [0, 0, 1]]), np.diag([2, 3, 1])
    found = parse_transform({"transform": "translate(5 7)rotate(30),scale(2,3)"}, CANVAS)
    np.testing.assert_allclose(found, move @ turn @ size)
    found = parse_transform({"transform": "rotate(30)", "transform-origin": "5px 7px"}, CANVAS)
    np.testing.assert_allclose(found, move @ turn @ np.linalg.inv(move))
    words = {
        "center": (250, 250), "right": (500, 250), "top": (250, 0), "bottom right": (500, 500),
        "7px": (7, 250), "50% 10%": (250, 50), "left bottom 3px": (0, 500), "": (0, 0),
    }  # fmt: skip
    assert {text: parse_origin(text, Viewport(500, 500)) for text in words} == words
    for text in ("", "none", "nonsense(3)", "matrix(1 2)"):
        np.testing.assert_array_equal(parse_transform({"transform": text}, CANVAS), np.eye(3))


@given(
    st.tuples(*[st.floats(1, 900)] * 2),
    st.tuples(*[st.floats(-50, 50)] * 2),
    st.tuples(*[st.floats(1, 900)] * 2),
)
def test_a_view_box_is_in_the_middle_and_as_large_as_fits(
    size: tuple[float, float], corner: tuple[float, float], box: tuple[float, float]
) -> None:
    view = " ".join(map(repr, (*corner, *box)))
    affine, inside = fit_view_box({"viewBox": view}, *size)
    scale = min(size[0] / box[0], size[1] / box[1])
    np.testing.assert_allclose(affine[:2, :2], np.eye(2) * scale, rtol=1e-6)
    middle = affine @ [corner[0] + box[0] / 2, corner[1] + box[1] / 2, 1]
    np.testing.assert_allclose(middle[:2], np.array(size) / 2, rtol=1e-6)
    assert inside == pytest.approx(box)


def test_no_view_box_changes_nothing() -> None:
    for view in ("", "1 2 3", "0 0 0 5", "0 0 -1 5"):
        affine, inside = fit_view_box({"viewBox": view}, 30, 40)
        np.testing.assert_array_equal(affine, np.eye(3))
        assert inside == (30, 40)
