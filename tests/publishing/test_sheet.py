"""A sheet shows every picture where its column says, enlarged, and loses no caption off the paper."""

from __future__ import annotations

import numpy as np
import pytest

from lepbench.panels import draw_strokes, load_font, shorten_text
from lepbench.publishing.sheet import MARGIN, PAPER, TILE, Strip, draw_sheet

COLUMNS = ("sketch", "real", "unguided", "guided")
COLOURS = [(250, 20, 20), (20, 250, 20), (20, 20, 250), (220, 20, 220)]


def flat(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((64, 64, 3), colour, dtype=np.uint8)


@pytest.mark.parametrize("strips", [1, 2, 3, 16])
def test_each_picture_is_there_at_its_size(strips: int) -> None:
    sheet = draw_sheet("a", "b", COLUMNS, [Strip("a red fish", [flat(c) for c in COLOURS])] * strips)
    pixels = np.asarray(sheet).reshape(-1, 3)
    for colour in COLOURS:
        assert (pixels == colour).all(axis=1).sum() == strips * TILE * TILE


def test_columns_keep_their_order_and_the_margin_is_empty() -> None:
    sheet = draw_sheet("t", "s", COLUMNS, [Strip("x" * 500, [flat(c) for c in COLOURS])] * 2)
    pixels = np.asarray(sheet)
    starts = [np.argwhere((pixels == colour).all(axis=2))[0][1] for colour in COLOURS]
    assert starts == sorted(starts)
    for edge in (pixels[:, : MARGIN - 2], pixels[:, -MARGIN + 2 :]):
        assert (edge == PAPER).all()


def test_a_picture_that_failed_leaves_a_marked_gap() -> None:
    whole = draw_sheet("t", "s", COLUMNS, [Strip("p", [flat(c) for c in COLOURS])])
    gap = draw_sheet("t", "s", COLUMNS, [Strip("p", [None, *(flat(c) for c in COLOURS[1:])])])
    assert gap.size == whole.size
    inside = np.asarray(gap)[np.where((np.asarray(whole) == COLOURS[0]).all(axis=2))]
    assert 0 < (inside != PAPER).any(axis=1).sum() < TILE * TILE / 4


def test_a_caption_is_cut_only_where_it_must_be() -> None:
    font = load_font(17)
    assert shorten_text("short", font, 400) == "short"
    assert shorten_text("a long caption " * 20, font, 400).endswith("...")


def test_a_sketch_is_black_on_white() -> None:
    assert draw_strokes(np.array([[True, False]])).tolist() == [[[0, 0, 0], [255, 255, 255]]]
