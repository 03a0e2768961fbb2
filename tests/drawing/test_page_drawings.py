"""Drawings of the page: strokes to lines and weights, and files to strokes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from lepbench.drawing.drawing import PageDrawing, PenStroke, rasterise_drawing
from lepbench.drawing.exports import write_png, write_svg
from lepbench.drawing.tracing import order_pixels, read_strokes, trace_lines
from lepbench.errors import LepbenchError


def make_stroke(*points: tuple[float, float], weight: float = 1.0) -> PenStroke:
    return PenStroke(points=tuple((x, y, 0.5) for x, y in points), weight=weight)


HOUSE = PageDrawing(
    prompt="a red house",
    strokes=(
        make_stroke((0.2, 0.5), (0.5, 0.2), (0.8, 0.5)),
        make_stroke((0.25, 0.55), (0.25, 0.8), (0.75, 0.8), (0.75, 0.55)),
    ),
)


def test_strokes_lie_where_they_were_drawn() -> None:
    lines = rasterise_drawing(HOUSE, (64, 64))
    assert lines.weights is None
    rows, columns = np.nonzero(lines.sketch)
    assert (columns.min(), columns.max()) == (12, 51)
    assert (rows.min(), rows.max()) == (12, 51)
    wide = rasterise_drawing(HOUSE, (64, 96)).sketch
    assert np.array_equal(wide[:, 16:80], lines.sketch)
    assert not wide[:, :16].any()


def test_a_weight_holds_around_its_stroke() -> None:
    heavy = PageDrawing(
        strokes=(make_stroke((0.2, 0.1), (0.2, 0.9), weight=2), make_stroke((0.8, 0.1), (0.8, 0.9)))
    )
    lines = rasterise_drawing(heavy, (64, 64))
    assert lines.weights is not None
    assert lines.weights[32, 12] == lines.weights[32, 16] == 2
    assert lines.weights[32, 17] == lines.weights[32, 51] == lines.weights[32, 32] == 1
    silent = heavy.model_copy(update={"strokes": (make_stroke((0.2, 0.1), (0.2, 0.9), weight=0),)})
    assert not rasterise_drawing(silent, (64, 64)).sketch.any()


@given(st.lists(st.tuples(st.floats(-1, 2), st.floats(-1, 2)), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_any_stroke_can_be_drawn(points: list[tuple[float, float]]) -> None:
    lines = rasterise_drawing(PageDrawing(strokes=(make_stroke(*points, weight=0.5),)), (32, 32))
    assert lines.weights is not None
    assert set(np.unique(lines.weights)) <= {0.5, 1.0}


@pytest.mark.parametrize(("write", "name"), [(write_svg, "house.svg"), (write_png, "house.png")])
def test_what_is_exported_can_be_opened_again(write, name: str) -> None:  # type: ignore[no-untyped-def]
    """To a pixel of 64, after files have their own grids."""
    again = PageDrawing(strokes=tuple(read_strokes(write(HOUSE), name)))
    first, second = (rasterise_drawing(one, (256, 256)).sketch for one in (HOUSE, again))
    assert distance_transform_edt(~first)[second].max() <= 4
    assert distance_transform_edt(~second)[first].max() <= 4


def test_lines_are_traced_from_end_to_end() -> None:
    canvas = np.zeros((9, 9), np.bool_)
    canvas[4, 1:8] = True
    [line] = trace_lines(canvas)
    assert line.tolist() == [[x, 4] for x in range(1, 8)]
    canvas[1:8, 4] = True
    assert len(trace_lines(canvas)) == 4


def test_a_ring_is_one_line() -> None:
    pixels = np.array([(0, 1), (1, 0), (2, 1), (1, 2)])
    around = order_pixels(pixels)
    assert (np.abs(np.diff(around, axis=0)).max(1) == 1).all()


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"<svg/>", "empty.svg", "empty.svg shows no lines"),
        (b"no picture", "x.png", "x.png"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><!DOCTYPE", "x.svg", "x.svg"),
    ],
)
def test_a_file_without_lines_is_refused(content: bytes, name: str, message: str) -> None:
    with pytest.raises(LepbenchError, match=message):
        read_strokes(content, name)


def test_a_prompt_is_text_in_svg() -> None:
    document = write_svg(HOUSE.model_copy(update={"prompt": "<script>&"}))
    assert b"<title>&lt;script&gt;&amp;</title>" in document
