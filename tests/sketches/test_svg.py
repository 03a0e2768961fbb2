"""SVG drawings: strokes as written, transforms applied, hostile files refused."""

from __future__ import annotations

import contextlib
import gzip
import os
import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sketch_corpora import lines_of, polylines, svg

from lepbench.errors import LepbenchError
from lepbench.sketches import Fault, Svg, Unusable
from lepbench.sketches.vector.interpreter import FLATNESS
from lepbench.sketches.vector.reading import read_drawing

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 800">'
PEN = 'fill="none" stroke="black"'
BOMB = '<!DOCTYPE svg [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def read(text: str) -> tuple[list[np.ndarray], float, float]:
    found = read_drawing(text.encode())
    return list(found.strokes), found.width, found.height


@settings(max_examples=40)
@given(polylines)
def test_polylines_are_read_as_written(lines: list[np.ndarray]) -> None:
    strokes, width, height = read(svg(lines))
    assert (width, height) == (800, 800)
    assert len(strokes) == len(lines)
    for found, line in zip(strokes, lines, strict=True):
        np.testing.assert_allclose(found, line, atol=1e-9)


@settings(max_examples=25)
@given(polylines, st.floats(0.2, 3), st.integers(-180, 180), st.integers(-50, 50))
def test_transforms_are_those_of_matrices(
    lines: list[np.ndarray], scale: float, angle: int, shift: int
) -> None:
    group = f'transform="translate({shift} 5) rotate({angle}) scale({scale!r})"'
    strokes, *_ = read(svg(lines, 'viewBox="-4000 -4000 8000 8000"', group=group))
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    for found, line in zip(strokes, lines, strict=True):
        np.testing.assert_allclose(found, scale * line @ [[c, s], [-s, c]] + (shift + 4000, 4005), atol=1e-6)


def test_a_circle_is_round() -> None:
    (stroke,), *_ = read(f'{HEAD}<circle cx="400" cy="400" r="300"/></svg>')
    radius = np.linalg.norm(stroke - 400, axis=1)
    assert np.abs(radius - 300).max() < FLATNESS
    chords = (stroke[1:] + stroke[:-1]) / 2
    assert np.linalg.norm(chords - 400, axis=1).min() > 300 - 2 * FLATNESS


def test_each_time_the_pen_is_put_down_is_a_stroke_in_order() -> None:
    strokes, *_ = read(
        f'{HEAD}<g {PEN}><path d="M1 1 L20 2 M50 50 h30 v30 z"/><line x1="90" y1="90" x2="80" y2="8"/>'
        '<polyline points="10,20 30,40 50,60"/><path d="M7 7"/></g></svg>'
    )
    assert [len(stroke) for stroke in strokes] == [2, 4, 2, 3]
    assert [tuple(stroke[0]) for stroke in strokes] == [(1, 1), (50, 50), (90, 90), (10, 20)]
    assert tuple(strokes[1][-1]) == (50, 50)


def test_a_view_box_is_scaled_to_the_size_and_no_canvas_is_the_extent() -> None:
    line = np.array([[100.0, 200.0], [300.0, 600.0]])
    (stroke,), width, height = read(svg([line], 'width="400" height="400" viewBox="0 0 800 800"'))
    np.testing.assert_allclose(stroke, line / 2)
    assert (width, height) == (400, 400)
    (stroke,), width, height = read(svg([line], ""))
    np.testing.assert_allclose(stroke, line - (100, 200))
    assert (width, height) == (200, 400)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not xml",
        "<html/>",
        "<svg",
        BOMB + f"]>{HEAD}<text>&i;</text></svg>",
        f'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>{HEAD}<text>&x;</text></svg>',
        f'<!DOCTYPE svg [<!ENTITY % x SYSTEM "http://127.0.0.1/x.dtd"> %x;]>{HEAD}</svg>',
        f'{HEAD}<g id="a"><use href="#a"/></g></svg>',
        f'{HEAD}<path d="M0 0 L 1e999 1"/></svg>',
        f'{HEAD}<path transform="scale(1e308) scale(1e308)" d="M1 1 L 2 2 C 1 2 3 4 5 6"/></svg>',
        svg(lines_of(0), 'viewBox="0 0 0 0"'),
        f'{HEAD.replace("800", "0")}<path d="M0 0 C 1 2 3 4 5 9"/></svg>',
        f'{HEAD.replace("800 800", "-8 -8")}<path d="M0 0 C 1 2 3 4 5 9"/></svg>',
    ],
)
def test_hostile_and_damaged_files_are_refused(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("a file was fetched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "x.svg").write_text(text)
    with pytest.raises(Unusable) as caught:
        Svg(path=tmp_path).open().drawing(0)
    assert caught.value.fault in (Fault.DAMAGED, Fault.EMPTY, Fault.TOO_LARGE)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"{HEAD}</svg>", Fault.EMPTY),
        (f'{HEAD}<path {PEN} d="M0 801 L 800 900"/></svg>', Fault.EMPTY),
        (f'{HEAD}<path {PEN} d="M0 0 L 1e999 1"/></svg>', Fault.DAMAGED),
        (f'{HEAD}<path d="M0 0 C 1e30 0 0 1e30 1 1"/></svg>', Fault.TOO_LARGE),
    ],
)
def test_what_is_well_formed_and_yet_no_drawing(tmp_path: Path, text: str, fault: Fault) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "x.svg").write_text(text)
    with pytest.raises(Unusable) as caught:
        Svg(path=tmp_path).open().drawing(0)
    assert caught.value.fault is fault


def test_a_public_document_type_is_no_fault() -> None:
    text = (
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    )
    assert len(read(text + svg(lines_of(0)))[0]) == 3


def test_classes_are_the_folders(tmp_path: Path) -> None:
    for name in ("ice_cream/2", "ice_cream/10", "mouse (animal)/1"):
        path = tmp_path / f"{name}.svg"
        path.parent.mkdir(exist_ok=True)
        path.write_text(svg(lines_of(0)))
    (tmp_path / "stray.svg").write_text(svg(lines_of(0)))
    book = Svg(path=tmp_path, licence="CC-BY-4.0").open()
    assert [name.label for name in book.names()] == ["ice cream", "ice cream", "mouse (animal)"]
    assert [book.drawing(i).id for i in range(3)] == [name.id for name in book.names()]
    assert [book.name(i) for i in range(3)] == [*book.names()]
    assert book.licence == "CC-BY-4.0"


def test_names_of_files_are_classes_where_that_is_asked_for(tmp_path: Path) -> None:
    for name in (
        "ice-cream.svg",
        "a/DOG.SVG",
        "a/b/hot_dog.svgz",
        "._ice-cream.svg",
        ".a/x.svg",
        "a/notes.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        content = svg(lines_of(0)).encode()
        path.write_bytes(gzip.compress(content) if name.endswith("z") else content)
    book = Svg(path=tmp_path, label="file").open()
    assert {name.id: name.label for name in book.names()} == {
        "a/DOG": "DOG",
        "a/b/hot_dog": "hot dog",
        "ice-cream": "ice cream",
    }
    assert all(len(book.drawing(number).strokes) == 3 for number in range(3))
    assert Svg(path=tmp_path).open().count == 1


def test_no_classes_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "stray.svg").write_text(svg(lines_of(0)))
    with pytest.raises(LepbenchError, match=r"holds no CLASS.*--set label=file"):
        Svg(path=tmp_path).open()
    with pytest.raises(LepbenchError, match=r"holds no \*.svg"):
        Svg(path=tmp_path / "nowhere", label="file").open()


def test_a_pipe_in_a_corpus_is_left_out_and_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    os.mkfifo(tmp_path / "cat" / "pipe.svg")
    (tmp_path / "cat" / "a.svg").write_text(svg(lines_of(0)))
    book = Svg(path=tmp_path).open()
    assert book.count == 2
    drawings = []
    for number in range(2):
        with contextlib.suppress(Unusable):
            drawings.append(book.drawing(number))
    assert len(drawings) == 1
