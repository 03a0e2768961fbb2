"""Samples of tar archives in the forms that people have them, against the loader of WebDataset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from picture_folders import jpeg, photograph, write_tar

from lepbench.data.corpus import Original, Rejected
from lepbench.data.sources import WebDataset, select_source
from lepbench.errors import LepbenchError

webdataset = pytest.importorskip("webdataset")
PHOTOGRAPH, OTHER, THIRD = (jpeg(photograph().rotate(turn)) for turn in (0, 90, 180))
Members = list[tuple[str, bytes]]


def opened(path: Path, **settings: Any) -> dict[str, tuple[bytes, str] | str]:
    """Key -> picture and caption, or the reason and its detail."""
    corpus = WebDataset(path=str(path), **settings).open(64, None)
    found: dict[str, tuple[bytes, str] | str] = {}
    for number in range(corpus.count):
        entry = corpus.entry(number)
        try:
            got = entry.load()
            assert isinstance(got, Original)
            assert isinstance(got.picture, bytes)
            found[entry.id.partition("/")[2]] = (got.picture, got.caption)
        except Rejected as rejected:
            found[entry.id.partition("/")[2]] = str(rejected)
    return found


def load_theirs(path: Path, *suffixes: str) -> dict[str, tuple[bytes, ...]]:
    """Key -> the raw members that the loader of WebDataset picks by suffixes."""
    loaded = webdataset.WebDataset(str(path), shardshuffle=False, empty_check=False)
    return {key: tuple(parts) for key, *parts in loaded.to_tuple("__key__", *suffixes)}


def record(**keys: Any) -> bytes:
    return json.dumps(keys).encode()


PAIR: Members = [("a.jpg", PHOTOGRAPH), ("a.png", OTHER), ("a.webp", THIRD), ("a.txt", b"a")]


@pytest.mark.parametrize("order", [1, -1])
def test_two_pictures_are_ambiguous_whatever_their_order(tmp_path: Path, order: int) -> None:
    path = write_tar(tmp_path / "s.tar", [*PAIR[::order], ("b.jpg", OTHER), ("b.txt", b"b")])
    assert opened(path) == {
        "a": "ambiguous sample: jpg and png and webp, choose with image",
        "b": (OTHER, "b"),
    }


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("suffixes", ["jpg;png", "png;jpg", "webp", "gif;png;jpg", " .PNG ; jpg"])
def test_suffixes_choose_as_the_loader_does(tmp_path: Path, order: int, suffixes: str) -> None:
    path = write_tar(tmp_path / "s.tar", PAIR[::order])
    theirs = load_theirs(path, suffixes.replace(" .PNG ", "png").replace(" ", ""), "txt")
    assert opened(path, image=suffixes) == {
        key: (image, text.decode()) for key, (image, text) in theirs.items()
    }


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(
    ("text", "caption"),
    [("txt;caption", "t"), ("caption;txt", "c"), ("json", "j"), ("json;txt", "j"), ("blip.json;txt", "b")],
)
def test_suffixes_choose_texts_too(tmp_path: Path, order: int, text: str, caption: str) -> None:
    members: Members = [
        ("a.jpg", PHOTOGRAPH),
        ("a.txt", b"t"),
        ("a.caption", b"c"),
        ("a.json", record(caption="j")),
        ("a.blip.json", record(caption="b")),
    ]
    path = write_tar(tmp_path / "s.tar", members[::order])
    ((chosen,),) = load_theirs(path, text).values()
    assert chosen in (caption.encode(), record(caption=caption))
    assert opened(path, text=text) == {"a": (PHOTOGRAPH, caption)}
    assert opened(path) == {"a": "ambiguous sample: caption and txt, choose with text"}


@pytest.mark.parametrize(
    ("members", "settings", "outcome"),
    [
        ([("a.txt", b"t"), ("a.json", record(caption="j", url="u"))], {}, "t"),
        ([("a.txt", b"t"), ("a.json", record(caption="j"))], {"caption_key": "caption"}, "j"),
        ([("a.txt", b"t"), ("a.json", record(url="u"))], {}, "t"),
        ([("a.json", record(caption="j", text="k"))], {}, "j"),
        ([("a.json", record(prompt="p"))], {}, "p"),
        ([("a.json", record(caption=None, text="k"))], {}, "k"),
        ([("a.json", record(caption=["j", "k"]))], {}, "j"),
        ([("a.json", record(caption=7))], {}, "no caption: keys: caption"),
        ([("a.json", record(url="u", status="success"))], {}, "no caption: keys: url, status"),
        ([("a.json", record(blip="b"))], {"caption_key": "blip"}, "b"),
        ([("a.json", record(blip="b"))], {"text": "txt;json", "caption_key": "blip"}, "b"),
        ([("a.caption", b"c")], {}, "c"),
        ([("a.TXT", b"t")], {}, "t"),
        ([("a.txt", b"t")], {"text": "caption"}, "no caption: unused: txt"),
        ([("a.cls", b"3")], {}, "no caption: unused: cls"),
        ([("a.cls", b"3")], {"text": "cls"}, "3"),
        ([("a.json", b"[]")], {}, "malformed metadata row: not a JSON object"),
        ([("a.meta.json", b"oops")], {"text": "meta.json"}, "malformed metadata row: not JSON"),
    ],
)
def test_where_a_caption_is_looked_for(
    tmp_path: Path, members: Members, settings: dict[str, str], outcome: str
) -> None:
    path = write_tar(tmp_path / "s.tar", [("a.jpg", PHOTOGRAPH), *members])
    found = opened(path, **settings)["a"]
    assert (found if isinstance(found, str) else found[1]) == outcome


MASKS: Members = [
    ("sub.dir/x.y/0.seg.png", OTHER),
    ("sub.dir/x.y/0.depth.PNG", THIRD),
    ("sub.dir/x.y/0.JPG", PHOTOGRAPH),
    ("sub.dir/x.y/0.txt", b"a"),
]


def test_masks_and_depth_maps_beside_a_picture_are_no_pictures_unless_chosen(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "s.tar", MASKS)
    for settings, suffixes in (
        ({}, "jpg"),
        ({"image": "seg.png"}, "seg.png"),
        ({"image": "depth.png;jpg"}, "depth.png"),
    ):
        theirs = load_theirs(path, suffixes, "txt")
        assert opened(path, **settings) == {
            key: (image, text.decode()) for key, (image, text) in theirs.items()
        }
    assert list(opened(path)) == ["sub.dir/x.y/0"]


def test_a_sample_without_a_plain_suffix_names_those_it_has(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "s.tar", [("a.img.jpg", PHOTOGRAPH), ("a.seg.png", OTHER), ("a.txt", b"a")])
    assert opened(path) == {"a": "no picture: unused: img.jpg, seg.png"}
    assert opened(path, image="img.jpg") == {"a": (PHOTOGRAPH, "a")}


def test_hidden_members_and_those_of_the_loader_are_no_samples(tmp_path: Path) -> None:
    path = write_tar(
        tmp_path / "s.tar",
        [
            ("__info__", record(version=1)),
            ("__pycache__/a.jpg", OTHER),
            ("._a.jpg", b"x"),
            ("a.jpg", PHOTOGRAPH),
            ("a.txt", b"a"),
            (".DS_Store", b"x"),
            ("__MACOSX/._a.jpg", b"x"),
            (".thumbnails/a.jpg", OTHER),
            ("sub/.hidden.txt", b"x"),
        ],
    )
    assert opened(path) == {"a": (PHOTOGRAPH, "a")}
    write_tar(tmp_path / "._s.tar", [("b.jpg", PHOTOGRAPH)])
    assert opened(tmp_path) == {"a": (PHOTOGRAPH, "a")}
    assert opened(tmp_path / "*.tar") == {"a": (PHOTOGRAPH, "a")}


def test_the_same_suffix_twice_is_repeated_and_two_kinds_are_not(tmp_path: Path) -> None:
    members: Members = [
        ("a.jpg", PHOTOGRAPH),
        ("a.JPG", OTHER),
        ("./a.txt", b"a"),
        ("b.jpg", OTHER),
        ("b.jpeg", OTHER),
    ]
    found = opened(write_tar(tmp_path / "s.tar", members))
    assert found == {
        "a.JPG": "repeated member",
        "a": (PHOTOGRAPH, "a"),
        "b": "ambiguous sample: jpeg and jpg, choose with image",
    }


@pytest.mark.parametrize("setting", ["image", "text"])
@pytest.mark.parametrize("wrong", ["", "jpg;", ";", " ", ".", "jpg;;png"])
def test_suffixes_that_are_none_are_refused(setting: str, wrong: str) -> None:
    with pytest.raises(LepbenchError, match=f"{setting}: name suffixes as WebDataset does"):
        select_source({"name": "webdataset", "path": "a.tar", setting: wrong})


def test_what_is_chosen_is_part_of_the_recipe(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "s.tar", PAIR)
    recipes = [
        WebDataset(path=str(path), image=image).open(64, None).recipe() for image in (None, "jpg", "png")
    ]
    assert recipes[1]["fingerprint"] != recipes[2]["fingerprint"]
