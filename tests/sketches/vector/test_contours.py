"""Shapes to polylines: within the flatness, in the order of the path, up to its first error."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from lepbench.sketches import Fault, Unusable
from lepbench.sketches.vector.contours import flatten_contours, flatten_curve, trace_shape
from lepbench.sketches.vector.lengths import Viewport

FLATNESS = 0.5
CANVAS = Viewport(100, 100)


@settings(max_examples=50)
@given(st.lists(st.tuples(*[st.floats(0, 800)] * 2), min_size=3, max_size=4).map(np.array))
def test_curves_are_within_the_flatness(corners: np.ndarray) -> None:
    found = flatten_curve(corners, FLATNESS)
    t = np.linspace(0, 1, 4001)[:, None]
    points = [corners] * len(t)
    curve = np.stack(points, axis=0)
    while curve.shape[1] > 1:  # de Casteljau
        curve = (1 - t[..., None]) * curve[:, :-1] + t[..., None] * curve[:, 1:]
    fine = np.concatenate([np.linspace(a, b, 400) for a, b in pairwise(found)])
    assert np.max(cKDTree(fine).query(curve[:, 0])[0]) <= FLATNESS + 0.02
    assert np.allclose(found[[0, -1]], corners[[0, -1]])


def lines_of(tag: str, **style: str) -> list[list[tuple[float, float]]]:
    contours = trace_shape(tag, style, CANVAS)
    return [list(map(tuple, line.tolist())) for line in flatten_contours(contours, np.eye(3), 0.1, 10_000)]


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        ("M1 1 2 2l1 1H9v-3", [[(1, 1), (2, 2), (3, 3), (9, 3), (9, 0)]]),
        ("M1 1L2 2M5 5h3v3z", [[(1, 1), (2, 2)], [(5, 5), (8, 5), (8, 8), (5, 5)]]),
        ("M1 1h2v2zl5 5", [[(1, 1), (3, 1), (3, 3), (1, 1)], [(1, 1), (6, 6)]]),
        ("M1 1h2v2zm1 1h1", [[(1, 1), (3, 1), (3, 3), (1, 1)], [(2, 2), (3, 2)]]),
        ("M1 1L5 5L6 x 9 9", [[(1, 1), (5, 5)]]),
        ("M1 1L5 5 7", [[(1, 1), (5, 5)]]),
        ("M0 0A0 5 0 0 1 9 9", [[(0, 0), (9, 9)]]),
        ("M7 7", []),
        ("L7 7", []),
        ("", []),
        ("none", []),
    ],
)
def test_paths(path: str, lines: list) -> None:
    assert lines_of("path", d=path) == lines


def test_lists_of_points() -> None:
    assert lines_of("polyline", points="1,2 3,4 5") == [[(1, 2), (3, 4)]]
    assert lines_of("polygon", points="1,2 3,4,5,0") == [[(1, 2), (3, 4), (5, 0), (1, 2)]]
    assert lines_of("polygon", points="") == []
    assert lines_of("line", x2="50%", y2="1in") == [[(0, 0), (50, 96)]]


@pytest.mark.parametrize(
    ("tag", "style"),
    [
        ("rect", {"width": "9"}),
        ("rect", {"width": "9", "height": "-1"}),
        ("circle", {}),
        ("circle", {"r": "0"}),
        ("ellipse", {"rx": "0", "ry": "5"}),
    ],
)
def test_shapes_of_no_size_are_none(tag: str, style: dict[str, str]) -> None:
    assert trace_shape(tag, style, CANVAS) == []


@given(st.floats(1, 90), st.floats(1, 90))
def test_an_ellipse_is_where_its_equation_says(rx: float, ry: float) -> None:
    (line,) = lines_of("ellipse", cx="5", cy="7", rx=repr(rx), ry=repr(ry))
    x, y = (np.array(line) - (5, 7)).T / np.array([[rx], [ry]])
    np.testing.assert_allclose(x**2 + y**2, 1, atol=2e-3)


def test_a_radius_that_is_missing_is_the_other_and_none_is_over_half() -> None:
    assert lines_of("rect", width="40", height="20", rx="5") == lines_of(
        "rect", width="40", height="20", ry="5"
    )
    assert lines_of("rect", width="40", height="20", rx="5") != lines_of(
        "rect", width="40", height="20", rx="6"
    )
    (line,) = lines_of("rect", width="40", height="20", rx="90", ry="90")
    middle = (np.array(line) - (20, 10)) / (20, 10)
    np.testing.assert_allclose(np.linalg.norm(middle, axis=1), 1, atol=2e-3)


def test_too_many_points_and_numbers_that_are_none() -> None:
    with pytest.raises(Unusable) as caught:
        flatten_curve(np.array([[0, 0], [1e30, 0], [1, 1]]), FLATNESS)
    assert caught.value.fault is Fault.TOO_LARGE
    with pytest.raises(Unusable) as caught:
        flatten_curve(np.array([[0, 0], [np.inf, 0]]), FLATNESS)
    assert caught.value.fault is Fault.DAMAGED
