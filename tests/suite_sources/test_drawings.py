"""Suites of people's drawings: balanced, the same again, honest about what was left out."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sketch_corpora import doodle, fscoco, lines_of, points_of, quickdraw, svg

from lepbench.cli.suite import command
from lepbench.errors import LepbenchError
from lepbench.images import open_rgb, read_pixels, square
from lepbench.sketches import FsCocoCorpus, Name, QuickDraw, SketchCorpus, Svg
from lepbench.strokes import crop_strokes, fit_strokes, number_strokes
from lepbench.suite_sources import Drawings, write_suite
from lepbench.suite_sources.base import order_names
from lepbench.suite_sources.drawings import make_file_name
from lepbench.suites import Suite, load_suite


def made(corpus: SketchCorpus, folder: Path, **wish: object) -> Suite:
    write_suite(Drawings(name=corpus.name, corpus=corpus, **{"size": 64, **wish}), folder, name=folder.name)
    return load_suite(folder)


def label_of(prompt: str) -> str:
    return prompt.removeprefix("a photo of a ")


def test_items_are_the_drawings_rendered_and_numbered(tmp_path: Path) -> None:
    corpus = QuickDraw(path=quickdraw(tmp_path / "qd"))
    suite, book = made(corpus, tmp_path / "suite", items=8), corpus.open()
    drawings = {drawing.id: drawing for drawing in map(book.drawing, range(8))}
    assert {item.item_id for item in suite.items()} == set(drawings)
    for item in suite.items():
        drawing = drawings[item.item_id]
        expected = number_strokes(fit_strokes(drawing.strokes, drawing.width, drawing.height, 64), 64)
        assert label_of(item.prompt) == drawing.label
        assert np.array_equal(item.strokes, expected)
        assert np.array_equal(item.sketch, expected > 0)
        assert (item.image, item.contour, item.mask, item.label) == (None, None, None, drawing.label)
    about = suite.definition
    assert (set(about.truths), about.licence) == ({"strokes", "label"}, "CC-BY-4.0")


def test_photographs_and_strokes_are_cropped_alike(tmp_path: Path) -> None:
    corpus = FsCocoCorpus(path=fscoco(tmp_path / "fs"), split="all")
    suite, book = made(corpus, tmp_path / "suite", items=20), corpus.open()
    drawings = {drawing.caption: drawing for drawing in map(book.drawing, range(20))}
    for item in suite.items():
        drawing = drawings[item.prompt]
        assert item.image is not None
        assert drawing.photo is not None
        assert np.array_equal(item.image, np.asarray(square(open_rgb(drawing.photo), 64)))
        assert np.array_equal(item.strokes, number_strokes(crop_strokes(drawing.strokes, 320, 256, 64), 64))
    assert "picture" in suite.definition.truths
    assert suite.definition.licence == "CC-BY-NC-4.0"
    assert suite.definition.drawn.settings["split"] == "all"


def test_any_number_from_the_front_is_balanced(tmp_path: Path) -> None:
    corpus = QuickDraw(path=quickdraw(tmp_path / "qd", words=("cat", "dog", "fish"), each=10))
    items = made(corpus, tmp_path / "suite", items=30).items(30)
    for count in (3, 9, 12, 30):
        shares = Counter(label_of(item.prompt) for item in items[:count])
        assert set(shares.values()) == {count // 3}
    assert [item.item_id for item in items] != sorted(item.item_id for item in items)


def test_a_class_that_runs_out_leaves_its_turns_to_the_others(tmp_path: Path) -> None:
    quickdraw(tmp_path / "qd", words=("cat",), each=2)
    more = [doodle("dog", f"9{i}", lines_of(i)) for i in range(5)]
    (tmp_path / "qd" / "dog.ndjson").write_text("\n".join(more))
    items = made(QuickDraw(path=tmp_path / "qd"), tmp_path / "suite", items=7).items()
    assert Counter(label_of(item.prompt) for item in items) == {"cat": 2, "dog": 5}


def test_the_same_again_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    corpus = QuickDraw(path=quickdraw(tmp_path / "qd", each=20))
    made(corpus, tmp_path / "a" / "suite", items=8)
    made(corpus, tmp_path / "b" / "suite", items=8)
    made(corpus, tmp_path / "c" / "suite", items=8, seed=1)
    for name in ("suite.yaml", "items.parquet"):
        first, again, other = ((tmp_path / letter / "suite" / name).read_bytes() for letter in "abc")
        assert first == again != other


@settings(max_examples=40)
@given(st.lists(st.tuples(st.text(), st.sampled_from("abc")), unique_by=lambda pair: pair[0]), st.randoms())
def test_the_pick_does_not_depend_on_the_order_of_the_files(pairs: list, random: Random) -> None:
    def picked(names: list[Name]) -> list[list[str]]:
        return [[names[number].id for number in queue] for queue in order_names(names, 0)]

    names = [Name(*pair) for pair in pairs]
    shuffled = list(names)
    random.shuffle(shuffled)
    assert picked(names) == picked(shuffled)


def test_what_is_left_out_is_counted_and_replaced(tmp_path: Path) -> None:
    good = [doodle("cat", f"1{i}", lines_of(i)) for i in range(5)]
    bad = [doodle("cat", f"2{i}", lines_of(i), recognized=False) for i in range(3)]
    (tmp_path / "cat.ndjson").write_text("\n".join([*good, *bad, "{", good[0]]))
    about = made(QuickDraw(path=tmp_path), tmp_path / "suite", items=5).definition.drawn
    assert about.considered == 5 + sum(about.left_out.values())
    assert set(about.left_out) <= {"not recognised when drawn", "malformed drawing", "id used before"}
    with pytest.raises(LepbenchError, match=r"only 5 of 10 .*3 not recognised when drawn"):
        made(QuickDraw(path=tmp_path), tmp_path / "more", items=6)
    rejects = [json.loads(line) for line in (tmp_path / "more" / "rejected.jsonl").read_text().splitlines()]
    assert Counter(one["reason"] for one in rejects) == {
        "not recognised when drawn": 3,
        "malformed drawing": 1,
        "id used before": 1,
    }
    assert {one["id"] for one in rejects if "recognised" in one["reason"]} == {"20", "21", "22"}
    (broken,) = (one for one in rejects if one["reason"] == "malformed drawing")
    assert broken["id"] == "cat-8"
    assert broken["detail"].startswith("not valid JSON")
    # Nothing but the reasons is there, so that the same folder serves when fewer are asked for.
    assert [path.name for path in (tmp_path / "more").iterdir()] == ["rejected.jsonl"]
    made(QuickDraw(path=tmp_path), tmp_path / "more", items=5)


def test_what_is_not_drawn_of_a_drawing_is_counted_and_listed(tmp_path: Path) -> None:
    (tmp_path / "svg" / "cat").mkdir(parents=True)
    for number, text in enumerate(("", "<text>a</text>", "<text>a</text><image/><image/>")):
        drawn = svg(lines_of(number)).replace("</svg>", f"{text}</svg>")
        (tmp_path / "svg" / "cat" / f"{number}.svg").write_text(drawn)
    suite = made(Svg(path=tmp_path / "svg"), tmp_path / "suite", items=3)
    assert suite.definition.drawn.unsupported == {"<text>": 2, "<image>": 1}
    lines = [json.loads(line) for line in (tmp_path / "suite" / "unsupported.jsonl").read_text().splitlines()]
    assert {line["id"]: line["unsupported"] for line in lines} == {
        "cat/1": {"<text>": 1},
        "cat/2": {"<text>": 1, "<image>": 2},
    }
    assert not (tmp_path / "suite" / "rejected.jsonl").exists()


def test_strokes_outside_the_square_are_no_drawing(tmp_path: Path) -> None:
    path = fscoco(tmp_path / "fs", users=2, each=1)
    file = next((path / "vector_sketches").rglob("*.npy"))
    np.save(file, points_of([np.array([[1.0, 1.0], [9.0, 250.0]])]))
    suite = made(FsCocoCorpus(path=path, split="all"), tmp_path / "suite", items=1)
    assert suite.definition.drawn.considered <= 2
    with pytest.raises(LepbenchError, match=r"only 1 of 2 .* 1 no strokes \(such as .*in the square\)"):
        made(FsCocoCorpus(path=path, split="all"), tmp_path / "two", items=2)


@given(st.text(), st.text())
def test_ids_become_names_of_files_one_a_name(first: str, second: str) -> None:
    names = [make_file_name(first), make_file_name(second)]
    assert (names[0] == names[1]) == (first == second)
    assert all("/" not in name and not name.startswith(".") and len(name.encode()) < 100 for name in names)


def test_more_strokes_than_a_byte_can_number(tmp_path: Path) -> None:
    lines = [np.array([[x * 40.0, y * 40.0], [x * 40.0 + 9, y * 40.0]]) for y in range(20) for x in range(20)]
    (tmp_path / "tu" / "grid").mkdir(parents=True)
    (tmp_path / "tu" / "grid" / "1.svg").write_text(svg(lines))
    (item,) = made(Svg(path=tmp_path / "tu"), tmp_path / "suite", items=1, size=512).items()
    assert sorted(set(item.strokes.ravel().tolist())) == list(range(401))


def run(*arguments: object) -> str:
    result = CliRunner().invoke(command, [str(part) for part in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_names_the_commonest_reason_with_an_example(tmp_path: Path) -> None:
    quickdraw(tmp_path / "qd", words=("cat",), each=2)
    with (tmp_path / "qd" / "cat.ndjson").open("a") as file:
        file.write("{\n" * 5)
    printed = run("make", "quickdraw", tmp_path / "qd", "--out", tmp_path / "few", "--items", 2, "--size", 64)
    count = Suite(tmp_path / "few").definition.drawn.left_out.get("malformed drawing", 0)
    assert count
    assert f"left out: {count} malformed drawing (such as cat-" in printed
    assert f"all in {tmp_path / 'few' / 'rejected.jsonl'}" in printed


def test_a_small_suite_is_made_and_exported_by_the_commands(tmp_path: Path) -> None:
    quickdraw(tmp_path / "qd")
    out = tmp_path / "doodles"
    run(
        "make",
        "quickdraw",
        tmp_path / "qd",
        "--out",
        out,
        "--items",
        4,
        "--size",
        64,
        "--prompt",
        "one {label}",
    )
    run("export", out, "--out", tmp_path / "to-draw")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "to-draw" / "prompts.csv").read_text())))
    suite = load_suite(out)
    assert suite.name == "quickdraw-4"
    assert [row["item_id"] for row in rows] == [item.item_id for item in suite.items()]
    assert Counter(row["prompt"] for row in rows) == {"one cat": 2, "one ice cream": 2}
    for row, item in zip(rows, suite.items(), strict=True):
        assert np.array_equal(read_pixels((tmp_path / "to-draw" / row["sketch"]).read_bytes()), item.sketch)
        with Image.open(tmp_path / "to-draw" / row["sketch"]) as image:
            assert image.size == (64, 64)
    assert f"--suite {out}" in (tmp_path / "to-draw" / "README.md").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["quikdraw"], "did you mean 'quickdraw'"),
        (["quickdraw", "--set", "recognised_only=no"], "unknown key 'recognised_only'; did you mean"),
        (["quickdraw", "--set", "recognized_only"], "write --set KEY=VALUE"),
        (["quickdraw", "--set", "path=/etc"], "is no setting"),
        (["quickdraw", "--set", "recognized_only=[1"], "recognized_only"),
        (
            ["quickdraw", "--prompt", "a photo"],
            "prompt: the template has no {label}; write it where the label",
        ),
        (["quickdraw", "--size", "2"], "size"),
        (["quickdraw", "--items", "999"], "only 8 of 8"),
        (["svg"], "holds no CLASS"),
        (["fscoco"], "holds neither"),
    ],
)
def test_every_fault_is_one_line(tmp_path: Path, options: list[str], message: str) -> None:
    quickdraw(tmp_path / "qd")
    corpus, *more = options
    arguments = ["make", corpus, str(tmp_path / "qd"), "--out", str(tmp_path / "out"), *more]
    with pytest.raises(LepbenchError) as caught:
        CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
