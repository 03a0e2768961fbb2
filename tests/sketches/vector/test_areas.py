"""What contours cover, against Matplotlib's containment and a distance."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path

from lepbench.sketches.vector.areas import Area, fill_area, has_area, signed_area, stroke_area

SIZE = (60, 80)
ROWS, COLUMNS = np.mgrid[:60, :80] + 0.5
CENTRES = np.stack([COLUMNS.ravel(), ROWS.ravel()], axis=1)


def spread(area: Area | None) -> np.ndarray:
    whole = np.zeros(SIZE, bool)
    if area is not None:
        whole[area.window] = area.mask
    return whole


def ring(corners: int, middle: tuple[float, float], radius: float) -> np.ndarray:
    turns = np.linspace(0, 2 * np.pi, corners + 1)
    return np.stack([np.cos(turns), np.sin(turns)], axis=1) * radius + middle


@settings(max_examples=6)
@given(
    st.integers(3, 9),
    st.tuples(st.floats(-10, 90), st.floats(-10, 70)),
    st.floats(3, 40),
    st.sampled_from([1, -1]),
)
def test_rings_in_rings_by_both_rules(
    corners: int, middle: tuple[float, float], radius: float, turn: int
) -> None:
    outer, inner = ring(corners, middle, radius), ring(corners, middle, radius / 2)[::turn]
    inside = [Path(line).contains_points(CENTRES).reshape(SIZE) for line in (outer, inner)]
    # OpenCV fills the pixels of the outline, too.
    near = [distances(line).reshape(SIZE) < 2 for line in (outer, inner)]
    sure = ~(near[0] | near[1])
    sure[[0, -1]] = sure[:, [0, -1]] = False
    odd = spread(fill_area([outer, inner], SIZE, even_odd=True))
    assert (odd == (inside[0] ^ inside[1]))[sure].all()
    winding = spread(fill_area([outer, inner], SIZE, even_odd=False))
    assert (winding == (inside[0] if turn == 1 else inside[0] ^ inside[1]))[sure].all()
    assert np.sign(signed_area(outer)) == turn * np.sign(signed_area(inner))


@settings(max_examples=6)
@given(st.lists(st.tuples(st.floats(-30, 110), st.floats(-30, 90)), min_size=3, max_size=9))
def test_a_contour_that_crosses_itself_fills_what_it_winds_around(corners: list) -> None:
    line = np.array(corners)
    closed = np.concatenate([line, line[:1]])
    rays = (closed[:, None] - CENTRES) @ [1, 1j]
    turns = np.angle(rays[1:] * rays[:-1].conj()).sum(axis=0) / (2 * np.pi)
    sure = distances(closed) > 2
    sure.reshape(SIZE)[[0, -1]] = sure.reshape(SIZE)[:, [0, -1]] = False
    filled = spread(fill_area([line], SIZE, even_odd=False)).ravel()
    assert (filled == (np.abs(turns) > 0.5))[sure].all()


def distances(line: np.ndarray) -> np.ndarray:
    """Of pixels' centres to a polyline, by the closest of many points."""
    fine = np.concatenate([np.linspace(a, b, 60) for a, b in pairwise(line)])
    return np.linalg.norm(CENTRES[:, None] - fine[None], axis=2).min(axis=1)


@settings(max_examples=6)
@given(st.lists(st.tuples(st.floats(5, 75), st.floats(5, 55)), min_size=2, max_size=4), st.floats(3, 12))
def test_a_stroke_covers_what_is_within_half_its_width(corners: list, width: float) -> None:
    line = np.array(corners)
    covered = spread(stroke_area([line], SIZE, width)).ravel()
    away = distances(line)
    assert covered[away < width / 2 - 1.5].all()
    assert not covered[away > width / 2 + 2].any()


def test_what_has_no_area_and_what_is_elsewhere() -> None:
    straight = np.array([[0.0, 0.0], [30.0, 30.0], [10.0, 10.0]])
    assert not has_area(straight)
    assert has_area(np.array([[0.0, 0.0], [9.0, 9.0], [9.0, 0.0], [0.0, 9.0]]))
    assert fill_area([straight], SIZE, even_odd=False) is None
    assert fill_area([ring(5, (500, 500), 9)], SIZE, even_odd=False) is None
    assert stroke_area([], SIZE, 3) is None
    assert spread(fill_area([ring(4, (40, 30), 1e12)], SIZE, even_odd=True)).all()
