"""Quick, Draw!: what was drawn is what is read, wherever in whichever file it lies."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from sketch_corpora import doodle, lines_of, polylines, quickdraw

from lepbench.errors import LepbenchError
from lepbench.sketches import Fault, QuickDraw, Unusable
from lepbench.sketches.quickdraw import line_spans, parse_drawing


def fault_of(line: str | bytes) -> StrEnum:
    with pytest.raises(Unusable) as caught:
        parse_drawing(line.encode() if isinstance(line, str) else line, recognized_only=True)
    return caught.value.fault


@given(polylines)
def test_strokes_are_read_as_written_less_their_corner(lines: list[np.ndarray]) -> None:
    drawing = parse_drawing(doodle("cat", "1", lines, times=True).encode(), recognized_only=True)
    corner = np.concatenate(lines).min(axis=0)
    assert len(drawing.strokes) == len(lines)
    for found, line in zip(drawing.strokes, lines, strict=True):
        np.testing.assert_array_equal(found, line.astype(np.float64) - corner)
    assert np.concatenate(drawing.strokes).min() == 0
    assert max(drawing.width, drawing.height) > 0


def test_drawings_are_had_in_any_order_and_agree_with_their_names(tmp_path: Path) -> None:
    book = QuickDraw(path=quickdraw(tmp_path)).open()
    names = list(book.names())
    assert book.count == len(names) == 8
    for number in (7, 0, 4, 3):
        drawing = book.drawing(number)
        assert (drawing.id, drawing.label) == tuple(names[number])
        assert drawing.photo is None
    assert [name.label for name in names] == ["cat"] * 4 + ["ice cream"] * 4
    assert names[5].id == "1001"


def test_a_file_alone_is_a_corpus(tmp_path: Path) -> None:
    quickdraw(tmp_path)
    assert QuickDraw(path=tmp_path / "cat.ndjson").open().count == 4


@pytest.mark.parametrize("text", ["a\nbb\n", "a\n\nbb", "\na\nbb\n\n"])
def test_lines_are_found_with_and_without_a_last_break(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.ndjson"
    path.write_text(text)
    assert [text[a:b] for a, b in line_spans(path)] == ["a", "bb"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (doodle("cat", "1", lines_of(0), recognized=False), Fault.NOT_RECOGNISED),
        (doodle("cat", "1", []), Fault.EMPTY),
        (doodle("", "1", lines_of(0)), Fault.DAMAGED),
        ('{"word": "cat", "key_id": "1", "drawing": [[[0, 1], [0]]]}', Fault.DAMAGED),
        ('{"word": "cat", "key_id": "1", "drawing": [[[0, 1]]]}', Fault.DAMAGED),
        ('{"word": "cat", "key_id": "1", "drawing": [[[], []]]}', Fault.DAMAGED),
        ('{"word": "cat", "key_id": "1", "drawing": [[["0", "1"], [0, 1]]]}', Fault.DAMAGED),
        ('{"word": "cat", "key_id": "1", "drawing": [[[0, NaN], [0, 1]]]}', Fault.DAMAGED),
        ('{"word": "cat", "key_id": "1", "drawing": [[[0, 1e999], [0, 1]]]}', Fault.DAMAGED),
        ('{"word": "cat", "key_id": "1", "drawing": [[[-1e308, 1e308], [0, 1]]]}', Fault.DAMAGED),
        ('{"word": "cat"', Fault.DAMAGED),
        ("[" * 100_000, Fault.DAMAGED),
        (b'{"word": "\xff"}', Fault.DAMAGED),
    ],
)
def test_what_a_line_is_turned_away_for(line: str | bytes, fault: Fault) -> None:
    assert fault_of(line) is fault


def test_the_unrecognised_are_read_on_request() -> None:
    line = doodle("cat", "1", lines_of(0), recognized=False).encode()
    assert parse_drawing(line, recognized_only=False).label == "cat"


def test_a_damaged_line_has_a_name_too(tmp_path: Path) -> None:
    (tmp_path / "x.ndjson").write_bytes(b'{"word": "\xff\n{"key_id": "7", "word": "a \\"b\\""}\n')
    assert list(QuickDraw(path=tmp_path).open().names()) == [("x-0", None), ("7", 'a "b"')]


def test_nothing_to_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match=r"holds no \.ndjson"):
        QuickDraw(path=tmp_path).open()
    (tmp_path / "x.ndjson").write_text("\n")
    with pytest.raises(LepbenchError, match="holds no drawing"):
        QuickDraw(path=tmp_path).open()
