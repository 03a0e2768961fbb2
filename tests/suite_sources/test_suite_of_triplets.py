"""Suites of photographs: what a built set holds, none of what another set holds, and maps that are exact."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sketch_corpora import fscoco
from skimage import data

from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.data.read import Triplets
from lepbench.detectors import Canny, Cv2Canny, Detector, Sobel, Xdog, identify_detector, restore_detector
from lepbench.errors import LepbenchError
from lepbench.evaluation.protocols import select_protocol
from lepbench.images import encode_png, square
from lepbench.suite_sources import write_suite
from lepbench.suite_sources.base import PHOTOGRAPHS
from lepbench.suite_sources.catalogue import Catalogue, choose_rows
from lepbench.suite_sources.request import make_suite_source
from lepbench.suites import Suite, load_suite

NAMES = ("astronaut", "coffee", "chelsea", "rocket", "camera", "coins")


def photograph(name: str) -> np.ndarray:
    pixels = np.asarray(getattr(data, name)())[:250, :250]
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=-1)


def put(folder: Path, name: str, pixels: np.ndarray, caption: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.png").write_bytes(encode_png(pixels))
    (folder / f"{name}.txt").write_text(caption)


def build(folder: Path, out: Path, **settings: Any) -> Path:
    source = {"name": "folder", "path": folder, **settings.pop("of_source", {})}
    build_triplets(BuildConfig.model_validate({"source": source, "size": 64, **settings}), out)
    return out


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six photographs in two folders of classes."""
    folder = tmp_path_factory.mktemp("corpus") / "photos"
    for number, name in enumerate(NAMES):
        put(folder, f"{('odd', 'even')[number % 2]}/{name}", photograph(name), f"a photograph: {name}")
    return folder


@pytest.fixture(scope="module")
def built(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(photos, tmp_path_factory.mktemp("built") / "set")


def make(place: Path, out: Path, settings: dict[str, Any] | None = None, **options: Any) -> Suite:
    write_suite(make_suite_source("triplets", place, options, settings or {}), out)
    return load_suite(out)


def rejects(out: Path) -> dict[str, tuple[str, str]]:
    lines = (out / "rejected.jsonl").read_text().splitlines()
    return {one["id"]: (one["reason"], one["detail"]) for one in map(json.loads, lines)}


def test_items_are_the_triplets_as_built(built: Path, tmp_path: Path) -> None:
    suite = make(built, tmp_path / "suite")
    triplets = {triplet.text: triplet for triplet in Triplets(built)}
    assert len(suite) == len(NAMES)
    for item in suite:
        triplet = triplets[item.prompt]
        assert item.image is not None
        assert np.array_equal(item.image, triplet.image)
        assert np.array_equal(item.sketch, triplet.edges)
        assert item.sketch.dtype == np.bool_
    about = suite.definition
    assert (about.name, about.protocol, about.size) == ("triplets-6", PHOTOGRAPHS, 64)
    assert about.truths == ("picture", "edges")
    assert about.detector == Canny().model_dump()
    assert (about.default_items, about.licence, about.drawn.considered) == (6, "unknown", 6)
    assert about.drawn.settings["dataset"] == Triplets(built).identity
    assert str(built) not in (tmp_path / "suite" / "suite.yaml").read_text()


def test_sketches_are_the_maps_of_the_suites_detector(built: Path, tmp_path: Path) -> None:
    xdog = {"name": "xdog", "threshold": 0.3}
    cases: list[tuple[Detector, dict[str, Any]]] = [
        (Canny(), {}),
        (Canny(), {"size": 32}),
        (Xdog(threshold=0.3), {"detector": xdog}),
    ]
    for number, (detector, options) in enumerate(cases):
        suite = make(built, tmp_path / str(number), **options)
        assert suite.definition.detector == detector.model_dump()
        assert "edges" in suite.definition.truths
        for item in suite:
            assert item.image is not None
            assert np.array_equal(item.sketch, detector.of_pixels(item.image[None])[0])


def test_the_protocol_of_photographs_takes_a_suite_by_its_detector(built: Path, tmp_path: Path) -> None:
    pinned = {"name": "canny", "low": 0.3, "high": 0.6}
    protocol = select_protocol(make(built, tmp_path / "pinned", detector=pinned))
    assert protocol.name == PHOTOGRAPHS
    assert protocol.size == 64
    with pytest.raises(LepbenchError, match="canny"):
        select_protocol(make(built, tmp_path / "other"))


def test_another_size_resizes_pictures_and_makes_maps_anew(built: Path, tmp_path: Path) -> None:
    suite = make(built, tmp_path / "suite", size=32)
    triplets = {triplet.text: triplet for triplet in Triplets(built)}
    for item in suite:
        expected = np.asarray(square(Image.fromarray(triplets[item.prompt].image), 32))
        assert item.image is not None
        assert np.array_equal(item.image, expected)
        assert item.sketch.shape == (32, 32)


def test_maps_of_strengths_are_made_anew_by_their_detector(photos: Path, tmp_path: Path) -> None:
    place = build(photos, tmp_path / "soft", edges="soft", detector="sobel")
    for item in make(place, tmp_path / "suite"):
        assert item.image is not None
        assert np.array_equal(item.sketch, Sobel().of_pixels(item.image[None])[0])


def test_a_set_of_whole_pictures_needs_a_size(photos: Path, tmp_path: Path) -> None:
    place = build(photos, tmp_path / "whole", size=None)
    with pytest.raises(LepbenchError, match="holds pictures of many sizes; give --size"):
        make(place, tmp_path / "suite")
    assert make(place, tmp_path / "suite", size=48).definition.size == 48


def test_drawings_of_a_set_are_no_edge_maps_and_are_not_resized(tmp_path: Path) -> None:
    config = {"source": {"name": "fscoco", "path": fscoco(tmp_path / "fs", users=3), "split": "all"}}
    build_triplets(BuildConfig.model_validate({**config, "edges": "drawn", "size": 64}), tmp_path / "set")
    suite = make(tmp_path / "set", tmp_path / "suite")
    assert suite.definition.truths == ("picture",)
    assert suite.definition.protocol != PHOTOGRAPHS
    with pytest.raises(LepbenchError, match=r"drawings at 64 px, which are not resized; .*--detector"):
        make(tmp_path / "set", tmp_path / "small", size=32)
    assert "edges" in make(tmp_path / "set", tmp_path / "maps", size=32, detector="canny").definition.truths


def test_a_detector_that_is_not_here_is_one_line(built: Path, tmp_path: Path) -> None:
    place = shutil.copytree(built, tmp_path / "set")
    manifest = (place / "manifest.json").read_text()
    (place / "manifest.json").write_text(manifest.replace("canny@1(", "kanny@1("))
    with pytest.raises(LepbenchError, match=r"kanny@1\(.* is not here: .*did you mean 'canny'.*--detector"):
        make(place, tmp_path / "suite")
    (place / "manifest.json").write_text(manifest.replace("canny@1(", "canny@0("))
    with pytest.raises(LepbenchError, match=r"canny@0\(.* is not here, but canny@1"):
        make(place, tmp_path / "suite")
    assert len(make(place, tmp_path / "suite", detector="canny")) == 6


@pytest.mark.parametrize(
    "detector", [Canny(low=0.15), Cv2Canny(), Xdog(threshold=0.3), Sobel(thin=True)], ids=lambda d: d.name
)
def test_an_identity_gives_the_detector_back(detector: Any) -> None:
    assert restore_detector(identify_detector(detector)) == detector


def test_nothing_of_an_excluded_set_gets_in(photos: Path, built: Path, tmp_path: Path) -> None:
    """The same file, the same picture at another size and quality, and a suite's pictures."""
    trained, shrunk, plain = (tmp_path / name for name in ("trained", "shrunk", "plain"))
    shutil.copytree(photos / "odd", trained / "odd")
    small = cv2.resize(photograph("coffee"), (125, 125), interpolation=cv2.INTER_AREA)
    put(shrunk, "other-name", small, "words")
    (plain / "deep").mkdir(parents=True)
    Image.fromarray(photograph("rocket")).save(plain / "deep" / "x.jpg", quality=90)
    sets = (build(trained, tmp_path / "a"), make(build(shrunk, tmp_path / "b"), tmp_path / "c").folder, plain)
    suite = make(built, tmp_path / "suite", exclude=sets)
    assert [item.prompt for item in suite] == ["a photograph: coins"]
    assert suite.definition.drawn.left_out == {"picture of an excluded set": 5}
    assert set(rejects(tmp_path / "suite")) == {f"{k}.png" for k in (
        "odd/astronaut", "odd/chelsea", "odd/camera", "even/coffee", "even/rocket"
    )}  # fmt: skip
    assert rejects(tmp_path / "suite")["even/coffee.png"][1] == "looks like one in triplets-1"
    assert rejects(tmp_path / "suite")["odd/camera.png"][1] == "the same as in a"
    assert len(suite.definition.drawn.settings["exclude"]) == 3
    with pytest.raises(LepbenchError, match=r"only 0 of 6 .*6 picture of an excluded set"):
        make(built, tmp_path / "none", exclude=(built,))


def test_duplicates_within_a_set_come_once(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    coffee = photograph("coffee")
    put(folder, "one", coffee, "a cup")
    put(folder, "again", coffee, "a cup")
    put(folder, "small", cv2.resize(coffee, (125, 125), interpolation=cv2.INTER_AREA), "another cup")
    put(folder, "other", photograph("rocket"), "a rocket")
    place = build(folder, tmp_path / "set", hygiene={"duplicates": "keep"})
    suite = make(place, tmp_path / "suite", {"caption": "all"})
    assert len(suite) == 2
    # Which of the three came first is up to the hash of their ids.
    reasons = [reason for reason, _ in rejects(tmp_path / "suite").values()]
    assert sorted(reasons) in (
        ["duplicate of another row", "nearly a duplicate of another row"],
        ["nearly a duplicate of another row"] * 2,
    )
    assert len(make(place, tmp_path / "first")) == 2
    exact = make(place, tmp_path / "exact", {"caption": "all", "duplicates": "exact"})
    assert exact.definition.drawn.left_out == {"duplicate of another row": 1}


@pytest.fixture(scope="module")
def captioned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures, one of them with three captions."""
    folder = tmp_path_factory.mktemp("captions")
    for name in ("coffee", "rocket"):
        (folder / "photos").mkdir(exist_ok=True)
        (folder / "photos" / f"{name}.png").write_bytes(encode_png(photograph(name)))
    rows = [("coffee", "a cup"), ("coffee", "a cup of coffee"), ("coffee", "cup"), ("rocket", "a rocket")]
    lines = [json.dumps({"file_name": f"{name}.png", "text": text}) for name, text in rows]
    (folder / "photos" / "metadata.jsonl").write_text("\n".join(lines))
    return build(folder / "photos", folder / "set")


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("first", ["a cup", "a rocket"]),
        ("longest", ["a cup of coffee", "a rocket"]),
        (3, ["a rocket", "cup"]),
        ("all", ["a cup", "a cup of coffee", "a rocket", "cup"]),
    ],
    ids=str,
)
def test_the_caption_is_chosen(captioned: Path, tmp_path: Path, caption: Any, expected: list[str]) -> None:
    suite = make(captioned, tmp_path / "suite", {"caption": caption})
    assert sorted(item.prompt for item in suite) == expected
    assert suite.definition.drawn.settings["caption"] == caption
    assert len(set(suite.item_ids)) == len(expected)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=20))
def test_one_row_of_each_original_is_chosen(pairs: list[tuple[int, int]]) -> None:
    originals, lengths = (np.array([pair[k] for pair in pairs], np.int64) for k in (0, 1))
    made = Catalogue(
        None, None, lengths, originals.astype(np.uint64), looks=originals.astype(np.uint64), licence=""
    )
    rows: dict[int, list[int]] = {}
    for row, (original, _) in enumerate(pairs):
        rows.setdefault(original, []).append(row)
    assert choose_rows(made, "first") == sorted(group[0] for group in rows.values())
    assert choose_rows(made, 2) == sorted(group[:2][-1] for group in rows.values())
    longest = [max(group, key=lambda row: (lengths[row], -row)) for group in rows.values()]
    assert choose_rows(made, "longest") == sorted(longest)
    assert choose_rows(made, "all") == list(range(len(pairs)))


def test_classes_alternate_and_licences_are_carried(photos: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(photos, tmp_path / "photos")
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    lines = [
        {"file_name": name, "text": f"a photograph: {name}", "rights": f"CC{number % 2}"}
        for number, name in enumerate(names)
    ]
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    place = build(folder, tmp_path / "set", of_source={"licence_column": "rights"})
    suite = make(place, tmp_path / "suite", {"label": "folder"})
    labels = [item.label for item in suite]
    assert all({*labels[k : k + 2]} == {"odd", "even"} for k in (0, 2, 4))
    assert suite.definition.truths == ("picture", "edges", "label")
    assert suite.definition.licence == "several, by item"
    for item in suite:
        name = item.prompt.removeprefix("a photograph: ")
        assert item.licence == f"CC{names.index(name) % 2}"
    flat = tmp_path / "flat"
    for name in NAMES:
        put(flat, name, photograph(name), "words")
    place = build(flat, tmp_path / "flat-set")
    with pytest.raises(LepbenchError, match="6 no class or caption"):
        make(place, tmp_path / "none", {"label": "folder"})


def test_the_order_is_a_hashs_and_the_seeds_hang_on_the_name(built: Path, tmp_path: Path) -> None:
    one, other = make(built, tmp_path / "one"), make(built, tmp_path / "two", seed=1)
    assert set(one.item_ids) == set(other.item_ids)
    assert one.item_ids != other.item_ids
    few = make(built, tmp_path / "few", items=3)
    assert few.item_ids == one.item_ids[:3]
    assert few.name == "triplets-3"
    again = tmp_path / "elsewhere" / "again"
    write_suite(make_suite_source("triplets", built, {}, {}), again, name="mine-v1")
    assert load_suite(again).name == "mine-v1"
    assert load_suite(again).seed(one[0], 0) != one.seed(one[0], 0)
    make(built, tmp_path / "same")
    for name in ("suite.yaml", "items.parquet"):
        assert (tmp_path / "same" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_an_unfinished_set_and_none_are_one_line(built: Path, tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match=r"holds no manifest\.json"):
        make(tmp_path, tmp_path / "out")
    place = shutil.copytree(built, tmp_path / "set")
    manifest = json.loads((place / "manifest.json").read_text())
    (place / "manifest.json").write_text(json.dumps({**manifest, "sha256": None}))
    with pytest.raises(LepbenchError, match="is unfinished"):
        make(place, tmp_path / "out")
    shutil.rmtree(place / "data")
    (place / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(LepbenchError, match="cannot read"):
        make(place, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("device", "place"), [("cuda", "cuda"), ("auto", "cpu"), ("cpu", "cpu")])
def test_maps_are_made_on_the_device_that_is_asked_for(
    device: str, place: str, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, of_pixels = [], Canny.of_pixels

    def record(self: Canny, pixels: np.ndarray, device: str = "cpu") -> np.ndarray:
        places.append(device)
        return of_pixels(self, pixels)

    # As if there was a GPU, which `auto` takes for networks alone.
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr(Canny, "of_pixels", record)
    made = make(built, tmp_path / "made", detector={"name": "canny", "low": 0.3, "high": 0.6}, device=device)
    assert set(places) == {place}
    assert len(places) >= len(made) > 0


def test_a_device_that_is_not_there_is_one_line(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(LepbenchError, match="device is cuda, and there is none here"):
        make(built, tmp_path / "made", device="cuda")
