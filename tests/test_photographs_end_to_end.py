"""From photographs with captions to a board: built, made a suite, drawn, judged, published and verified."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_judges import PHOTOGRAPHS, read_photograph, save_judges, write_yaml

from lepbench.backbones import load_backbone
from lepbench.cli.app import main
from lepbench.guidance.schedulers import imply_sampler

pytestmark = pytest.mark.slow

LABELS = {"inception": "fid", "dinov2-l14": "fd", "openai-l14-336": "fd"}
EDGES = [
    "faithful_paired_f1",
    "edge_f1_1px",
    "edge_precision_2px",
    "edge_recall_0px",
    "paired_f1_2px",
    "chamfer_px",
]
CAPTIONS = [f"{name}@openai-b16" for name in ("clip_similarity", "clip_score", "clip_skill")]
TO_REAL = [
    *(
        f"{name}@{label}"
        for label, frechet in LABELS.items()
        for name in (frechet, "kid", "density", "coverage")
    ),
    "cmmd@openai-l14-336",
]
OF_SEVERAL = [
    *(f"{name}_by_index@{label}" for label, name in LABELS.items()),
    *(f"{name}@{label}" for label in LABELS for name in ("diversity", "vendi")),
]
CONDITIONS = ["model", "unguided", "real", "vae", "overlay", "wrong_sketch"]
ITEMS = 7


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs with captions beside them, judges and a protocol."""
    root = tmp_path_factory.mktemp("photographs")
    (root / "photographs").mkdir()
    for name, caption in PHOTOGRAPHS.items():
        image = read_photograph(name)
        image.thumbnail((200, 200))
        image.save(root / "photographs" / f"{name}.png")
        (root / "photographs" / f"{name}.txt").write_text(f"{caption}\n")
    save_judges(root)
    terms = {
        "name": "small-photographs",
        "extends": "lepbench-photographs-v1",
        "frechet_from": 4,
        "resamples": 50,
        "kid_subsamples": 50,
        "neighbours": 3,
    }
    write_yaml(root / "protocol.yaml", terms)
    return root


@pytest.fixture
def lepbench(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], root: Path
) -> Callable[..., str]:
    """The command, offline; what it said on stdout."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("LEPBENCH_CACHE", str(root / "cache"))

    def run(*arguments: Any) -> str:
        monkeypatch.setattr(sys, "argv", ["lepbench", *map(str, arguments)])
        capsys.readouterr()
        main()
        return capsys.readouterr().out

    return run


def make_suite(root: Path, size: int, lepbench: Callable[..., str]) -> Path:
    """The suite of the photographs at a size, built once."""
    built, suite = root / f"triplets-{size}", root / f"suite-{size}"
    if not suite.is_dir():
        options = ("--size", size, "--detector-set", "low=0.3", "--detector-set", "high=0.6")
        lepbench("build-data", root / "photographs", "--out", built, *options)
        lepbench("suite", "make", "triplets", built, "--out", suite, "--items", ITEMS)
    return suite


def write_model(path: Path, backbone: Path) -> Path:
    sampler = {"scheduler": "ddim", **imply_sampler(load_backbone(backbone)), "steps": 2}
    return write_yaml(
        path, {"name": "tiny", "backbone": str(backbone), "sampler": sampler, "method": {"name": "unguided"}}
    )


def find_cell(line: dict[str, str], name: str, drawn: int) -> str:
    """A figure of a set, which has the number of its pictures in its name."""
    return next(text for column, text in line.items() if column in (name, f"{name}_n{drawn}"))


@pytest.mark.parametrize(
    ("family", "size", "samples"),
    [("sd", 64, 1), ("sd", 128, 2), ("sdxl", 64, 1), ("sd3", 64, 1), ("flux-dev", 64, 1)],
)
def test_photographs_become_a_verified_line_of_a_board(
    family: str,
    size: int,
    samples: int,
    root: Path,
    lepbench: Callable[..., str],
    tiny_pipeline_folder: Path,
    tiny_folder_of: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    suite = make_suite(root, size, lepbench)
    backbone = tiny_pipeline_folder if family == "sd" else tiny_folder_of(family)
    out, boards = tmp_path / "run", tmp_path / "boards"
    lepbench(
        "evaluate", write_model(tmp_path / "model.yaml", backbone), "--suite", suite, "--out", out,
        "--protocol", root / "protocol.yaml", "--judges", root / "tiny.yaml", "--device", "cpu",
        "--samples-per-item", samples,
    )  # fmt: skip
    with (out / "table.csv").open(newline="") as stream:
        table = {line["row"]: line for line in csv.DictReader(stream)}
    assert list(table) == CONDITIONS
    for row in CONDITIONS:
        drawn = ITEMS * (1 if row in ("real", "vae") else samples)
        several = samples > 1 and row not in ("real", "vae")
        assert all(table[row][name] for name in (*EDGES, *CAPTIONS)), row
        assert all((find_cell(table[row], name, drawn) != "") == (row != "real") for name in TO_REAL), row
        assert all((find_cell(table[row], name, drawn) != "") == several for name in OF_SEVERAL), row
    features = {path.name for path in (out / "features").iterdir()}
    assert features == {f"{row}@{label}.safetensors" for row in CONDITIONS[:-1] for label in LABELS}

    board = Path(
        lepbench("leaderboard", "add", out, "--suite", suite, "--leaderboards", boards)
        .removeprefix("added to ")
        .strip()
    )
    assert board.name == "small-photographs-with-tiny.csv"
    with board.open(newline="") as stream:
        line = next(csv.DictReader(stream))
    assert line["clip_score@openai-b16"] == table["model"]["clip_score@openai-b16"]
    name = f"fd@dinov2-l14_n{ITEMS * samples}"
    assert line[name] == table["model"][name]
    # The record alone names the TorchScript judge, which is a program.
    said = lepbench("verify", out, "--images", "--suite", suite, "--device", "cpu", "--trust-code")
    rows = ITEMS * (4 * samples + 2)
    assert f"{rows} samples from their pictures" in said
