"""FS-COCO: strokes, captions and photographs belong together, and no user is on both sides."""

from __future__ import annotations

import pickle
from enum import StrEnum
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from sketch_corpora import fscoco, jpeg, lines_of, points_of, polylines

from lepbench.errors import LepbenchError
from lepbench.sketches import Fault, FsCocoCorpus, Unusable
from lepbench.sketches.fscoco import load_points, side_of, split_strokes


@given(polylines)
def test_strokes_are_split_where_the_pen_was_lifted(lines: list[np.ndarray]) -> None:
    found = split_strokes(points_of(lines))
    assert len(found) == len(lines)
    for stroke, line in zip(found, lines, strict=True):
        np.testing.assert_array_equal(stroke, line)


def test_nothing_is_drawn_after_the_end_and_an_open_stroke_is_one() -> None:
    points = np.array([[0, 0, 0], [1, 1, 2], [9, 9, 0], [8, 8, 1]], np.float64)
    assert [len(stroke) for stroke in split_strokes(points)] == [2]
    assert [len(stroke) for stroke in split_strokes(points[2:3])] == [1]
    assert split_strokes(points[:0]) == []
    with pytest.raises(Unusable, match="pen state"):
        split_strokes(points + 7)


def test_a_drawing_has_its_own_caption_and_photograph(tmp_path: Path) -> None:
    book = FsCocoCorpus(path=fscoco(tmp_path), split="all").open()
    assert book.count == 20
    for number, name in enumerate(book.names()):
        drawing = book.drawing(number)
        user, index = divmod(number, 2)
        assert (drawing.id, drawing.user) == (name.id, str(user))
        assert drawing.caption == f"a scene of {user} number {index}"
        assert drawing.photo == jpeg(320, 256, 10 * user + index)
        assert (drawing.width, drawing.height) == (320, 256)
        for stroke, line in zip(drawing.strokes, lines_of(10 * user + index), strict=True):
            np.testing.assert_array_equal(stroke, line)


def test_a_canvas_is_stretched_over_the_photograph(tmp_path: Path) -> None:
    path = fscoco(tmp_path, users=1, each=1)
    plain = FsCocoCorpus(path=path, split="all").open().drawing(0)
    wide = FsCocoCorpus(path=path, split="all", canvas=(640, 1024)).open().drawing(0)
    for a, b in zip(plain.strokes, wide.strokes, strict=True):
        np.testing.assert_allclose(b, a * (0.5, 0.25))


def test_whole_users_go_to_one_side_whoever_else_there_is(tmp_path: Path) -> None:
    path = fscoco(tmp_path, users=20, each=2)

    def users(split: str) -> set[str]:
        found = FsCocoCorpus(path=path, split=split, test_share=0.4).open().names()
        return {name.id.partition("/")[0] for name in found}

    assert users("train") | users("test") == users("all") == {str(user) for user in range(20)}
    assert not users("train") & users("test")
    assert all(side_of(user, 0.4) == "test" for user in users("test"))
    shares = [np.mean([side_of(str(user), share) == "test" for user in range(4000)]) for share in (0.1, 0.5)]
    np.testing.assert_allclose(shares, (0.1, 0.5), atol=0.03)


def spoil(folder: Path, kind: str, content: bytes | None) -> StrEnum:
    """What a drawing is turned away for when one of its files has that content, or is missing."""
    (path,) = (fscoco(folder, users=1, each=1) / kind).rglob("*.*")
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Unusable) as caught:
        FsCocoCorpus(path=folder, split="all").open().drawing(0)
    return caught.value.fault


@pytest.mark.parametrize(
    ("kind", "content", "fault"),
    [
        ("text", None, Fault.UNREADABLE),
        ("text", b" \n", Fault.NO_LABEL),
        ("text", b"caf\xe9", Fault.NO_LABEL),
        ("images", None, Fault.UNREADABLE),
        ("images", b"no picture", Fault.BAD_PHOTO),
        ("vector_sketches", b"", Fault.DAMAGED),
        ("vector_sketches", b"PK\x03\x04", Fault.DAMAGED),
    ],
)
def test_what_a_drawing_is_turned_away_for(
    tmp_path: Path, kind: str, content: bytes | None, fault: Fault
) -> None:
    assert spoil(tmp_path, kind, content) is fault


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([Bomb(tmp_path / "went off")], dtype=object), allow_pickle=True)
    (tmp_path / "b.npy").write_bytes(pickle.dumps(Bomb(tmp_path / "went off")))
    for name in ("a.npy", "b.npy"):
        with pytest.raises(Unusable) as caught:
            load_points(tmp_path / name)
        assert caught.value.fault is Fault.DAMAGED
    assert not (tmp_path / "went off").exists()


@pytest.mark.parametrize("shape", ["(1000000000000, 3)", "(-1, 3)", "(3,)", "(2, 3, 1)", "(1, 2)"])
def test_a_header_that_promises_what_is_not_there_is_damaged(tmp_path: Path, shape: str) -> None:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    path = tmp_path / "a.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + b"\0" * 48)
    with pytest.raises(Unusable) as caught:
        load_points(path)
    assert caught.value.fault is Fault.DAMAGED


def test_coordinates_that_are_no_numbers_or_far_away_are_refused(tmp_path: Path) -> None:
    path = fscoco(tmp_path, users=1, each=1)
    (file,) = (path / "vector_sketches").rglob("*.npy")
    for value, fault in ((np.nan, Fault.DAMAGED), (np.inf, Fault.DAMAGED), (1e4, Fault.OUT_OF_FRAME)):
        points = points_of(lines_of(0))
        points[1, 0] = value
        np.save(file, points)
        with pytest.raises(Unusable) as caught:
            FsCocoCorpus(path=path, split="all").open().drawing(0)
        assert caught.value.fault is fault


def test_another_layout_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="holds neither vector_sketches nor raw_data"):
        FsCocoCorpus(path=tmp_path).open()
    (fscoco(tmp_path / "b", users=1) / "vector_sketches").rename(tmp_path / "b" / "raw_data")
    assert FsCocoCorpus(path=tmp_path / "b", split="all").open().count == 2
