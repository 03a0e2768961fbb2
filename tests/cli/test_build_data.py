"""`lepbench build-data` as a person or a script meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from command import call_command
from PIL import Image
from skimage import data

from lepbench.data.manifest import load_manifest
from lepbench.data.read import Triplets
from lepbench.detectors import Canny
from lepbench.images import to_tensor
from lepbench.sketchworld import render, scene


class Ran:
    """What a run of the command left: its exit code, and its two streams."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def lepbench(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    """Run `lepbench build-data ...` in this process."""

    def run(*arguments: str | Path) -> Ran:
        return Ran(call_command(monkeypatch, "build-data", *arguments), *capfd.readouterr())

    return run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three captioned photographs and a truncated one."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("astronaut", "chelsea", "coffee"):
        image = Image.fromarray(getattr(data, name)())
        image.thumbnail((120, 120))
        image.save(folder / f"{name}.jpg")
    (folder / "half.jpg").write_bytes((folder / "coffee.jpg").read_bytes()[:900])
    lines = [{"file_name": path.name, "text": f"a {path.stem}"} for path in sorted(folder.iterdir())]
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return folder


def test_sketchworld_triplets_are_its_renders_edges_and_captions(lepbench: Any, tmp_path: Path) -> None:
    place = ("--limit", "11", "--split", "test", "--start", "5")
    ran = lepbench("sketchworld", "--out", tmp_path / "a", *place, "--json")
    printed = json.loads(ran.out)
    triplets = Triplets(tmp_path / "a")
    assert printed == {"written": 11, "rejected": 0, "shards": 1, "planned": 1, "sha256": triplets.identity}
    for number, triplet in enumerate(triplets):
        there = scene("test", 5 + number)
        picture = render(there).image
        assert (triplet.id, triplet.text) == (there.id, there.caption)
        assert (triplet.image == picture).all()
        assert (triplet.edges == Canny()(to_tensor(picture[None]))[0].numpy()).all()
    assert (tmp_path / "a" / "data" / "test-00000-of-00001.parquet").is_file()


def test_the_world_is_drawn_at_the_size_asked_for(lepbench: Any, tmp_path: Path) -> None:
    lepbench("sketchworld", "--out", tmp_path / "a", "--limit", "1", "--size", "96")
    assert (Triplets(tmp_path / "a")[0].image == render(scene("train", 0), size=96).image).all()


def test_a_folder_of_photographs_with_one_broken(lepbench: Any, photos: Path, tmp_path: Path) -> None:
    ran = lepbench(photos, "--out", tmp_path / "a", "--size", "32", "--licence", "CC0-1.0")
    assert ran.code == 0
    assert ran.out == (f"3 triplets in 1 shards in {tmp_path / 'a'}; left out: 1 picture cannot be decoded\n")
    assert [triplet.text for triplet in Triplets(tmp_path / "a")] == ["a astronaut", "a chelsea", "a coffee"]
    assert "license: cc0-1.0" in (tmp_path / "a" / "README.md").read_text()


def test_the_same_command_twice_prints_the_same(lepbench: Any, photos: Path, tmp_path: Path) -> None:
    arguments = (photos, "--out", tmp_path / "a", "--json")
    first, second = lepbench(*arguments), lepbench(*arguments)
    assert first.out == second.out
    assert json.loads(first.out)["rejected"] == 1


def test_a_yaml_says_it_all_and_options_win(lepbench: Any, photos: Path, tmp_path: Path) -> None:
    config = {
        "source": {"name": "folder", "path": str(photos)},
        "detector": {"name": "canny", "low": 0.3, "high": 0.6},
        "size": 48,
        "shard_rows": 2,
    }
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config))
    lepbench(tmp_path / "c.yaml", "--out", tmp_path / "a")
    options = ("--size", "32", "--detector", "sobel", "--limit", "2")
    lepbench(tmp_path / "c.yaml", "--out", tmp_path / "b", *options)
    a, b = load_manifest(tmp_path / "a"), load_manifest(tmp_path / "b")
    assert (a.recipe.detector, a.recipe.size, len(a.shards)) == ("canny@1(low=0.3,high=0.6)", 48, 2)
    assert b.recipe.detector.startswith("sobel@1")
    assert (b.recipe.size, b.recipe.limit, b.recipe.shard_rows) == (32, 2, 2)


def test_every_setting_has_an_option(lepbench: Any, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("source: sketchworld\ndetector: {name: canny, low: 0.3, high: 0.6}\n")
    shape = ["--limit", "7", "--shard-rows", "3", "--max-pixels", "5000", "--max-caption", "20"]
    detector = ["--detector-set", "low=0.2", "--device", "auto"]
    hygiene = ["--min-edges", "0", "--max-edges", "0.9", "--distance", "2", "--duplicates", "near"]
    lepbench(tmp_path / "c.yaml", *shape, *detector, *hygiene, "--out", tmp_path / "a")
    recipe = load_manifest(tmp_path / "a").recipe
    assert (recipe.shard_rows, recipe.max_pixels, recipe.max_caption, recipe.device) == (3, 5000, 20, "cpu")
    assert recipe.hygiene == {
        "duplicates": "near",
        "distance": 2,
        "min_edges": 0,
        "max_edges": 0.9,
        "exclude": [],
    }
    assert recipe.detector == "canny@1(low=0.2,high=0.6)"


@pytest.mark.parametrize(
    ("detector", "expected"), [((), "canny@1(low=0.05,"), (("--detector", "xdog"), "xdog@1(")]
)
def test_settings_of_a_detector_go_to_the_one_that_is_chosen(
    lepbench: Any, tmp_path: Path, detector: tuple[str, ...], expected: str
) -> None:
    key = "threshold=0.3" if detector else "low=0.05"
    options = ("--limit", "2", "--detector-set", key, *detector, "--out", tmp_path / "a")
    assert lepbench("sketchworld", *options).code == 0
    said = load_manifest(tmp_path / "a").recipe.detector
    assert said.startswith(expected)
    assert key in said


def test_the_example_builds(lepbench: Any, tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "examples" / "build-data.yaml"
    ran = lepbench(example, "--out", tmp_path / "a", "--limit", "9", "--json")
    assert json.loads(ran.out)["written"] == 9


BAD = {
    "an unknown corpus": (["sketchwrld"], "did you mean 'sketchworld'"),
    "an empty folder": (["{empty}"], "holds no pictures"),
    "a missing file": (["gone.yaml"], "cannot read gone.yaml"),
    "an unknown detector": (["sketchworld", "--detector", "cany"], "did you mean 'canny'"),
    "an unknown split": (["sketchworld", "--split", "tset"], "split"),
    "a negative start": (["sketchworld", "--start", "-1"], "start"),
    "a tiny size": (["sketchworld", "--size", "2"], "size"),
    "no limit": (["sketchworld", "--limit", "0"], "limit"),
    "no number": (["sketchworld", "--limit", "ten"], "'ten' is not a valid integer"),
    "a split of a folder": (["{empty}", "--split", "test"], "unknown key 'source.split'"),
    "a misspelt key": (["{misspelt}"], "unknown key 'szie'; did you mean 'size'"),
    "a misspelt key of the detector": (["{nested}"], "unknown key 'detector.lwo'; did you mean 'low'"),
    "a misspelt key of the source": (["{source}"], "unknown key 'source.splt'; did you mean 'split'"),
    "no source": (["{sourceless}"], "source"),
    "no licence": (["{filled}", "--licence", ""], "licence is empty: name one, or leave it out"),
    "a licence of spaces": (["{filled}", "--set", "licence='  '"], "licence is empty"),
    "no setting": (["sketchworld", "--detector-set", "low"], "write --detector-set KEY=VALUE"),
    "a misspelt setting": (
        ["sketchworld", "--detector-set", "lwo=1"],
        "unknown key 'detector.lwo'; did you mean 'low'",
    ),
    "an unknown device": (["sketchworld", "--device", "tpu"], "device"),
    "a share of edges beyond all": (["sketchworld", "--max-edges", "2"], "hygiene.max_edges"),
    "workers of no engine": (["sketchworld", "--engine", "here", "--workers", "4"], "has no workers"),
    "no mapping": (["{list}"], "not keys with values; write a line"),
}
YAMLS = {
    "misspelt": "source: sketchworld\nszie: 64\n",
    "nested": "source: sketchworld\ndetector: {name: canny, lwo: 0.1}\n",
    "source": "source: {name: sketchworld, splt: test}\n",
    "sourceless": "size: 64\n",
    "list": "- sketchworld\n",
}


@pytest.mark.parametrize(("arguments", "expected"), BAD.values(), ids=BAD.keys())
def test_what_a_person_gets_wrong_is_one_line_and_exit_code_two(
    lepbench: Any, tmp_path: Path, arguments: list[str], expected: str
) -> None:
    places = {"empty": tmp_path / "empty"}
    places["empty"].mkdir()
    places["filled"] = tmp_path / "filled"
    places["filled"].mkdir()
    (places["filled"] / "a.jpg").write_bytes(b"a")
    for name, text in YAMLS.items():
        places[name] = tmp_path / f"{name}.yaml"
        places[name].write_text(text)
    filled = [argument.format(**places) for argument in arguments]
    ran = lepbench(*filled, "--out", tmp_path / "out", "--json")
    assert ran.code == 2
    assert ran.out == ""
    assert expected in ran.err
    assert ran.err.strip().count("\n") == 0
    if filled[0].endswith(".yaml"):
        assert filled[0] in ran.err
    assert not (tmp_path / "out").exists()


def test_a_look_counts_as_a_build_would_and_writes_a_sheet_alone(
    lepbench: Any, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a"
    told = json.loads(lepbench(photos, "--out", out, "--size", "32", "--dry-run", "--json").out)
    assert (told["entries"], told["sampled"]) == (4, 4)
    assert told["rejected"] == {"picture cannot be decoded": 1}
    assert told["sheet"] == f"{out}.dry-run.png"
    assert Path(told["sheet"]).is_file()
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--exclude", "{other}"], "nothing to exclude in"),
        (["--out", "{photos}/out"], "lies inside the source"),
        (["--out", "{other}"], "holds 'thesis.tex' and no manifest.json"),
        (["--out", "{other}/thesis.tex"], "is no folder"),
        (["--out", "{built}", "--size", "48"], "holds another recipe: size is 32 there"),
        (["--shards", "3/2"], "is no share"),
        (["--engine", "her"], "did you mean 'here'"),
    ],
)
def test_a_look_refuses_what_a_build_would(
    lepbench: Any, photos: Path, tmp_path: Path, options: list[str], expected: str
) -> None:
    other, built = tmp_path / "other", tmp_path / "built"
    other.mkdir()
    (other / "thesis.tex").write_text("mine")
    if "{built}" in options:
        lepbench(photos, "--out", built, "--size", "32")
    filled = [option.format(photos=photos, other=other, built=built) for option in options]
    out = [] if "--out" in options else ["--out", tmp_path / "out"]
    ran = lepbench(photos, *out, *filled, "--dry-run")
    assert ran.code == 2
    assert expected in ran.err
    assert not list(tmp_path.glob("*.dry-run.png"))


def test_a_look_at_a_damaged_table_counts_what_a_build_would(lepbench: Any, tmp_path: Path) -> None:
    table = tmp_path / "table.parquet"
    rows = {"image": [b"no picture"] * 40, "text": [f"row {number}" for number in range(40)]}
    pq.write_table(pa.table(rows), table, row_group_size=10, compression="snappy")
    column = pq.read_metadata(table).row_group(1).column(0)
    content = bytearray(table.read_bytes())
    start = column.dictionary_page_offset or column.data_page_offset
    content[start : start + 20] = b"\xff" * 20
    table.write_bytes(content)
    ran = lepbench("table", "--set", f"path={table}", "--out", tmp_path / "a", "--dry-run", "--json")
    assert json.loads(ran.out)["rejected"] == {"picture cannot be decoded": 12, "unreadable file": 4}
    assert "Traceback" not in ran.err


def test_progress_goes_to_stderr_and_help_shows_examples(lepbench: Any, tmp_path: Path) -> None:
    ran = lepbench("sketchworld", "--out", tmp_path / "a", "--limit", "3", "--json")
    assert "3/3" in ran.err
    assert json.loads(ran.out)["written"] == 3
    helped = lepbench("--help").out
    assert "Examples:" in helped
    assert "lepbench build-data sketchworld --out" in helped


def test_help_loads_nothing_heavy() -> None:
    code = "import sys, lepbench.cli.build_data; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"torch", "datasets", "pyarrow", "numpy", "pydantic"} & set(loaded.split())


def test_edges_are_white_on_black(lepbench: Any, tmp_path: Path) -> None:
    lepbench("sketchworld", "--out", tmp_path / "a", "--limit", "8")
    drawn = Triplets(tmp_path / "a").batch(range(8)).edges
    assert 0.01 < float(np.mean(drawn)) < 0.3
