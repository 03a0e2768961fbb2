"""Suites of a folder of sketches: any table, any sketch, every fault counted."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from sketch_corpora import lines_of, svg

from lepbench.errors import LepbenchError
from lepbench.evaluation.protocols import select_protocol
from lepbench.guidance.sketch import read_sketch
from lepbench.images import encode_png, open_rgb, square
from lepbench.sketches.vector.reading import read_drawing
from lepbench.strokes import fit_strokes, number_strokes
from lepbench.suite_sources import write_suite
from lepbench.suite_sources.base import DRAWINGS
from lepbench.suite_sources.folder import alternate
from lepbench.suite_sources.prompts import PromptRow, name_items
from lepbench.suite_sources.request import make_suite_source
from lepbench.suites import Suite, load_suite


def draw(path: Path, size: tuple[int, int] = (96, 96), ink: str = "black", width: int = 2) -> Path:
    """A few lines on paper of the other colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", size, "white" if ink == "black" else "black")
    pen = ImageDraw.Draw(image)
    pen.line((10, 12, size[0] - 20, size[1] - 15), fill=ink, width=width)
    pen.ellipse((20, 20, 60, 50), outline=ink, width=width)
    image.save(path)
    return path


def write_table(folder: Path, rows: list[dict[str, str]], name: str = "prompts.csv") -> None:
    text = io.StringIO()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(text, columns, delimiter="\t" if name.endswith("tsv") else ",")
    writer.writeheader()
    writer.writerows(rows)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text.getvalue(), encoding="utf-8")


def make(folder: Path, out: Path, settings: dict[str, Any] | None = None, **options: Any) -> Suite:
    write_suite(make_suite_source("folder", folder, {"size": 64, **options}, settings or {}), out)
    return load_suite(out)


def rejects(out: Path) -> dict[str, tuple[str, str]]:
    lines = (out / "rejected.jsonl").read_text().splitlines()
    return {one["id"]: (one["reason"], one["detail"]) for one in map(json.loads, lines)}


def test_a_sweep_of_prompts_over_sketches(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    prompts = ["a red house", "a blue house", "a wooden house"]
    for name in ("house", "my barn"):
        draw(folder / f"{name}.png")
    write_table(folder, [{"sketch": f"{n}.png", "prompt": p} for n in ("house", "my barn") for p in prompts])
    suite = make(folder, tmp_path / "suite")
    assert suite.name == "folder-6"
    assert {"house", "house-2", "house-3"} < set(suite.item_ids)
    assert Counter(item.prompt for item in suite) == dict.fromkeys(prompts, 2)
    expected = read_sketch(folder / "house.png", (64, 64), resize=True, cell=8).strokes
    for item in suite:
        assert np.array_equal(item.sketch, expected)
        assert (item.image, item.label, item.negative_prompt) == (None, None, None)
    for one, other in pairwise(suite):
        assert one.item_id.startswith("house") != other.item_id.startswith("house")
    about = suite.definition
    assert (about.truths, about.protocol, about.default_items) == ((), DRAWINGS, 6)
    assert about.drawn.changes == {"resized": 6}
    assert len(make(folder, tmp_path / "few", items=2)) == 2


def test_every_column_is_carried_and_pictures_are_cropped_with_their_sketches(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    draw(folder / "wide.png", (128, 96))
    draw(folder / "square.png")
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    (folder / "photo.png").write_bytes(encode_png(noise))
    more = {"prompt": "p", "picture": "photo.png", "negative_prompt": "blur", "class": "cat", "level": "2"}
    write_table(folder, [
        {"sketch": "wide.png", "licence": "CC0-1.0", "id": "mine", **more},
        {"sketch": "square.png", "prompt": "q", "picture": "photo.png", "class": "dog"},
    ])  # fmt: skip
    suite = make(folder, tmp_path / "suite", {"licence": "MIT"})
    item = suite["mine"]
    assert (item.prompt, item.label, item.negative_prompt, item.level) == ("p", "cat", "blur", "2")
    assert (item.licence, suite["square"].licence, suite.definition.licence) == ("CC0-1.0", None, "MIT")
    assert item.image is not None
    assert np.array_equal(item.image, np.asarray(square(open_rgb(folder / "photo.png"), 64)))
    whole = read_sketch(folder / "wide.png").strokes
    middle = tmp_path / "middle.png"
    Image.fromarray(~whole[:, 16:112]).save(middle)
    assert np.array_equal(item.sketch, read_sketch(middle, (64, 64), resize=True, cell=8).strokes)
    assert suite.definition.truths == ("picture", "label")
    assert suite.definition.drawn.changes["cropped"] == 1


def test_the_protocol_of_drawings_takes_sketches_with_and_without_strokes(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "v.svg").write_text(svg(lines_of(1)))
    (folder / "v.txt").write_text("a vector\n")
    assert "strokes" in select_protocol(make(folder, tmp_path / "one")).measures
    draw(folder / "r.png")
    (folder / "r.txt").write_text("a raster")
    protocol = select_protocol(make(folder, tmp_path / "two"))
    assert protocol.name == DRAWINGS
    assert "strokes" not in protocol.measures
    assert "edges" in protocol.measures


def test_vector_sketches_have_numbered_strokes_and_raster_ones_have_none(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "v.svg").write_text(svg(lines_of(1)))
    (folder / "v.txt").write_text("a vector\n")
    suite = make(folder, tmp_path / "one")
    drawing = read_drawing((folder / "v.svg").read_bytes())
    expected = number_strokes(fit_strokes(drawing.strokes, drawing.width, drawing.height, 64), 64)
    assert np.array_equal(suite[0].strokes, expected)
    assert suite.definition.truths == ("strokes",)
    draw(folder / "r.png")
    (folder / "r.txt").write_text("a raster")
    both = make(folder, tmp_path / "two")
    assert both.definition.truths == ()
    assert not both["r"].strokes.any()


def test_what_was_done_to_a_sketch_is_counted(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    draw(folder / "plain.png", (64, 64))
    draw(folder / "white.webp", (64, 64), ink="white")
    draw(folder / "thick.jpg", (64, 64), width=9)
    clear = Image.new("RGBA", (64, 64), (255, 255, 255, 0))
    ImageDraw.Draw(clear).line((5, 5, 60, 50), fill="white", width=2)
    clear.save(folder / "clear.png")
    dark = Image.new("L", (64, 64), 255)
    ImageDraw.Draw(dark).rectangle((4, 4, 50, 50), fill=0)
    dark.save(folder / "shadow.png")
    for name in ("plain", "white", "thick", "clear", "shadow"):
        (folder / f"{name}.txt").write_text(name)
    suite = make(folder, tmp_path / "suite")
    changes = suite.definition.drawn.changes
    assert (changes["inverted"], changes["read from its opacity"]) == (1, 1)
    assert changes["thinned"] >= 1
    doubtful = (tmp_path / "suite" / "unsupported.jsonl").read_text()
    assert '"shadow"' in doubtful
    assert '"plain"' not in doubtful
    assert suite["thick"].sketch.sum() < suite["plain"].sketch.sum() * 2
    kept = make(folder, tmp_path / "kept", {"thin": False})
    assert "thinned" not in kept.definition.drawn.changes
    assert kept["thick"].sketch.sum() > 2 * suite["thick"].sketch.sum()


def test_sidecars_of_text_lines_and_of_json(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    draw(folder / "a.png")
    (folder / "a.txt").write_text("one prompt\r\n\r\nanother prompt\r\n")
    draw(folder / "deep" / "b.png")
    draw(folder / "deep" / "b-photo.png", ink="white")
    about = {"prompt": ["third", "fourth"], "picture": "b-photo.png", "class": "thing"}
    (folder / "deep" / "b.json").write_text(json.dumps(about))
    draw(folder / "c.png")
    draw(folder / "d.png")
    (folder / "d.json").write_text("{")
    draw(folder / "e.png")
    (folder / "e.txt").write_text("\n")
    suite = make(folder, tmp_path / "suite")
    prompts = {item.prompt: item for item in suite}
    assert set(prompts) == {"one prompt", "another prompt", "third", "fourth"}
    assert prompts["third"].image is not None
    assert prompts["third"].label == "thing"
    found = rejects(tmp_path / "suite")
    assert {name: reason for name, (reason, _) in found.items()} == {
        "c": "no caption",
        "d": "malformed metadata row",
        "e": "malformed metadata row",
    }
    (folder / "d.json").write_text('{"promt": "x"}')
    with pytest.raises(LepbenchError, match=r"d\.json has unknown column 'promt'; did you mean 'prompt'"):
        make(folder, tmp_path / "more")


def test_rows_that_cannot_be_used_are_listed(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    draw(folder / "good.png")
    (folder / "text.png").write_text("no image")
    Image.new("L", (64, 64), 255).save(folder / "blank.png")
    draw(folder / "tall.png", (64, 128))
    draw(tmp_path / "outside.png")
    faults = {
        "gone": ({"sketch": "gone.png", "prompt": "p"}, "missing file"),
        "out": ({"sketch": "../outside.png", "prompt": "p"}, "path leaves the folder"),
        "root": ({"sketch": str(tmp_path / "outside.png"), "prompt": "p"}, "path leaves the folder"),
        "text": ({"sketch": "text.png", "prompt": "p"}, "no sketch"),
        "blank": ({"sketch": "blank.png", "prompt": "p"}, "no sketch"),
        "nophoto": ({"sketch": "good.png", "prompt": "p", "picture": "no.jpg"}, "missing file"),
        "badphoto": (
            {"sketch": "good.png", "prompt": "p", "picture": "text.png"},
            "picture cannot be decoded",
        ),
        "shape": (
            {"sketch": "tall.png", "prompt": "p", "picture": "good.png"},
            "sketch and picture differ in shape",
        ),
        "noprompt": ({"sketch": "good.png", "prompt": " "}, "malformed metadata row"),
    }
    rows = [{**row, "id": name} for name, (row, _) in faults.items()]
    write_table(folder, [*rows, {"sketch": "good.png", "prompt": "p", "id": "good"}])
    suite = make(folder, tmp_path / "suite")
    assert suite.item_ids == ["good"]
    found = rejects(tmp_path / "suite")
    assert {name: reason for name, (reason, _) in found.items()} == {
        name: reason for name, (_, reason) in faults.items()
    }
    assert found["nophoto"][1] == "no.jpg"
    assert suite.definition.drawn.considered == 10


@pytest.mark.parametrize("kind", ["bom", "windows", "tsv", "jsonl", "utf-16", "parquet"])
def test_tables_of_every_kind_are_read_alike(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "f"
    draw(folder / "ein Häuschen.png")
    rows = [{"sketch": "ein Häuschen.png", "prompt": 'a "small", red house – 日本'}]
    write_table(folder, rows, "prompts.tsv" if kind == "tsv" else "prompts.csv")
    path = folder / "prompts.csv"
    settings: dict[str, Any] = {}
    if kind == "bom":
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    elif kind == "windows":
        path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    elif kind == "utf-16":
        path.write_text(path.read_text(encoding="utf-8"), encoding="utf-16")
    elif kind == "jsonl":
        path.unlink()
        (folder / "prompts.jsonl").write_bytes(json.dumps(rows[0]).encode() + b"\r\n")
    elif kind == "parquet":
        import pandas as pd

        path.unlink()
        pd.DataFrame(rows).to_parquet(tmp_path / "t.parquet")
        settings = {"table": tmp_path / "t.parquet"}
    (item,) = make(folder, tmp_path / "suite", settings)
    assert item.prompt == rows[0]["prompt"]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("sketch,promt", "unknown column 'promt'; did you mean 'prompt'"),
        ("sketch,prompt,license", "unknown column 'license'; did you mean 'licence'"),
        ("prompt,class", "has no column 'sketch'; it has prompt, class"),
        ("sketch,prompt,Prompt", "has a column twice"),
        ("sketch,prompt", "holds no prompts"),
    ],
)
def test_a_wrong_header_is_one_line(tmp_path: Path, header: str, message: str) -> None:
    folder = tmp_path / "f"
    draw(folder / "a.png")
    cells = ",".join("a.png" for _ in header.split(","))
    (folder / "prompts.csv").write_text(f"{header}\n" + ("" if "no prompts" in message else f"{cells}\n"))
    with pytest.raises(LepbenchError) as caught:
        make(folder, tmp_path / "suite")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "suite").exists()


def test_other_faults_of_tables_are_one_line(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    draw(folder / "a.png")
    with pytest.raises(LepbenchError, match=r"only 0 of 1 .*no a\.txt or \.json"):
        make(folder, tmp_path / "suite")
    with pytest.raises(LepbenchError, match=r"no table sweep\.csv"):
        make(folder, tmp_path / "suite", {"table": "sweep.csv"})
    write_table(folder, [{"sketch": "a.png", "prompt": "p", "id": "x"}] * 2)
    with pytest.raises(LepbenchError, match=r"has id 'x' twice: prompts\.csv row 1 and prompts\.csv row 2"):
        make(folder, tmp_path / "suite")
    write_table(folder, [{"sketch": "a.png", "prompt": "p"}], "prompts.tsv")
    with pytest.raises(LepbenchError, match=r"holds prompts\.csv, prompts\.tsv; choose one with --set table"):
        make(folder, tmp_path / "suite")
    assert len(make(folder, tmp_path / "suite", {"table": "prompts.tsv"})) == 1
    with pytest.raises(LepbenchError, match="is not a folder"):
        make(folder / "a.png", tmp_path / "other")
    (tmp_path / "empty").mkdir()
    with pytest.raises(LepbenchError, match=r"holds no prompts; write prompts\.csv"):
        make(tmp_path / "empty", tmp_path / "other")


def test_cells_beyond_the_header_are_a_fault_of_their_row(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    draw(folder / "a.png")
    (folder / "prompts.csv").write_text("sketch,prompt\na.png,a house, red\na.png,a house\n")
    suite = make(folder, tmp_path / "suite")
    assert [item.prompt for item in suite] == ["a house"]
    assert [detail for _, detail in rejects(tmp_path / "suite").values()] == [
        "it has more cells than the header"
    ]


keys = st.sampled_from(["a.png", "a.svg", "a-2.png", "b/a.png", ""])
own = st.sampled_from([None, None, None, "x", "a", "a-2", "b/a-2"])


@pytest.mark.parametrize("picture", [5, ["a.png"], {"a": 1}], ids=["number", "list", "object"])
def test_a_picture_that_is_no_text_is_a_fault_of_its_sidecar(tmp_path: Path, picture: object) -> None:
    draw(tmp_path / "in" / "a.png")
    draw(tmp_path / "in" / "b.png")
    (tmp_path / "in" / "a.json").write_text(json.dumps({"prompt": "a house", "picture": picture}))
    (tmp_path / "in" / "b.txt").write_text("a house")
    make(tmp_path / "in", tmp_path / "out")
    assert [name.removesuffix(".png") for name in rejects(tmp_path / "out")] == ["a"]


def test_empty_columns_and_lines_of_a_spreadsheet_are_passed_over(tmp_path: Path) -> None:
    draw(tmp_path / "in" / "a.png")
    table = tmp_path / "in" / "prompts.csv"
    table.write_bytes("\ufeff\r\nsketch;prompt;;\r\na.png;a house;;\r\n;;;\r\n".encode())
    assert [item.prompt for item in make(tmp_path / "in", tmp_path / "out")] == ["a house"]
    assert list(rejects(tmp_path / "out")) == ["prompts.csv row 2"]
    table.write_text("sketch,prompt,\na.png,a house,with a roof\n")
    with pytest.raises(LepbenchError, match="unknown column ''; name it, or remove it"):
        make(tmp_path / "in", tmp_path / "other")


def test_rows_that_repeat_another_are_left_out_and_counted(tmp_path: Path) -> None:
    draw(tmp_path / "in" / "a.png")
    row = {"sketch": "a.png", "prompt": "a house", "id": ""}
    write_table(tmp_path / "in", [row, row, {**row, "prompt": "a barn"}, {**row, "id": "again"}, row])
    suite = make(tmp_path / "in", tmp_path / "out")
    assert suite.name == "folder-3"
    assert rejects(tmp_path / "out") == {
        name: ("duplicate of another row", "prompts.csv row 1") for name in ("a-2", "a-4")
    }


def test_an_out_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    draw(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "a.txt").write_text("a house")
    (tmp_path / "out").write_text("mine")
    with pytest.raises(LepbenchError, match="out is a file; choose another --out"):
        make(tmp_path / "in", tmp_path / "out")
    with pytest.raises(LepbenchError, match="choose"):
        make(tmp_path / "in", tmp_path / "out" / "below")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_suite_without_a_definition_is_made_again_and_a_finished_one_is_kept(tmp_path: Path) -> None:
    draw(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "a.txt").write_text("a house")
    make(tmp_path / "in", tmp_path / "out")
    with pytest.raises(LepbenchError, match="is not empty"):
        make(tmp_path / "in", tmp_path / "out")
    (tmp_path / "out" / "suite.yaml").unlink()
    assert len(make(tmp_path / "in", tmp_path / "out")) == 1


def test_a_name_that_is_a_folder_above_is_refused(tmp_path: Path) -> None:
    draw(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "a.txt").write_text("a house")
    source = make_suite_source("folder", tmp_path / "in", {"size": 64}, {})
    with pytest.raises(LepbenchError, match=r"name '\.\.' is no name of a suite"):
        write_suite(source, tmp_path / "out", name="..")


@given(st.lists(st.tuples(keys, own), max_size=12))
def test_ids_are_distinct_and_do_not_depend_on_later_rows(pairs: list[tuple[str, str | None]]) -> None:
    given_ids = [name for _, name in pairs if name]
    rows = [
        PromptRow(f"row {n}", {"sketch": sketch} | ({"id": name} if name else {}))
        for n, (sketch, name) in enumerate(pairs)
    ]
    if len(set(given_ids)) < len(given_ids):
        with pytest.raises(LepbenchError, match="twice"):
            name_items(rows, "t")
        return
    names = name_items(rows, "t")
    assert len(set(names)) == len(names)
    for row, name in zip(rows, names, strict=True):
        assert name == row.values.get("id", name)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers())))
def test_turns_keep_every_number_and_each_keys_order(pairs: list[tuple[str, int]]) -> None:
    numbered = [(key, number) for number, (key, _) in enumerate(pairs)]
    turns = list(alternate(numbered))
    assert sorted(turns) == list(range(len(pairs)))
    for key in "abc":
        mine = [number for number in turns if numbered[number][0] == key]
        assert mine == sorted(mine)
    counts = Counter(key for key, _ in numbered)
    if len(counts) > 1:
        front = [numbered[number][0] for number in turns[: len(counts) * min(counts.values())]]
        assert all(one != other for one, other in pairwise(front))
