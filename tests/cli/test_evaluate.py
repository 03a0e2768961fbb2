"""`lepbench evaluate` as a person runs it: a table or one JSON object, and every fault in one line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command import call_command
from PIL import Image
from tiny_evaluation import own_cache, tiny_judges, tiny_model, tiny_suite

from lepbench.config import dump_config
from lepbench.evaluation import condition_runner, opening, references
from lepbench.evaluation import judges as judges_module
from lepbench.evaluation.conditions import CONDITIONS
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.suites import Suite

__all__ = ["own_cache", "tiny_judges", "tiny_model", "tiny_suite"]

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def lepbench(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tiny_judges: Judges
) -> Command:
    """Run the command with the tiny judges; its exit code, stdout and stderr."""
    monkeypatch.setattr(opening, "load_judges", lambda protocol, device: tiny_judges)

    def command(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = call_command(monkeypatch, *arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


@pytest.fixture
def model_file(tmp_path: Path, tiny_model: ModelConfig) -> Path:
    path = tmp_path / "model.yaml"
    path.write_text(dump_config(tiny_model))
    return path


def test_json_is_one_object_and_nothing_else(
    lepbench: Command, model_file: Path, tiny_suite: Suite, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = ("--suite", tiny_suite.folder, "--out", out, "--device", "cpu", "--json")
    code, stdout, stderr = lepbench("evaluate", model_file, *options)
    assert code == 0
    published = json.loads(stdout)
    assert list(published) == ["protocol", "suite", "samples", "rows"]
    assert (published["protocol"], published["suite"]) == ("lepbench-edges-v1", "tiny-suite")
    assert published["samples"] == 10
    assert list(published["rows"]) == list(CONDITIONS)
    assert all(set(f) == {"value", "low", "high"} for row in published["rows"].values() for f in row.values())
    assert published["rows"]["model"]["fd@sketchworld-clip"] == {"value": None, "low": None, "high": None}
    assert "wrong_sketch" in stderr
    assert {p.name for p in out.iterdir()} == {
        *(
            "features",
            "log.jsonl",
            "record.json",
            "report.html",
            "run.json",
            "samples",
            "samples.parquet",
            "sheet.png",
            "table.csv",
        )
    }
    with (out / "table.csv").open(newline="") as stream:
        lines = {line["row"]: line for line in csv.DictReader(stream)}
    value = published["rows"]["vae"]["edge_f1_2px"]["value"]
    assert float(lines["vae"]["edge_f1_2px"]) == pytest.approx(value, rel=1e-5)
    with Image.open(out / "sheet.png") as sheet:
        assert min(sheet.size) > 1000
    # A second call reads the finished run back, in the same order.
    assert lepbench("evaluate", model_file, *options)[1] == stdout


def test_a_table_shows_every_row(
    lepbench: Command, model_file: Path, tiny_suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, stdout, stderr = lepbench("evaluate", model_file, "--suite", tiny_suite.folder, "--limit", 4)
    assert code == 0
    assert all(row in stdout for row in CONDITIONS)
    assert "4 samples" in stdout
    assert "runs/tiny" in stderr
    assert (tmp_path / "runs" / "tiny" / "record.json").is_file()


def test_an_interrupted_run_says_how_to_go_on(
    lepbench: Command,
    model_file: Path,
    tiny_suite: Suite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(condition_runner, "score_pictures", interrupted)
    options = ("--suite", tiny_suite.folder, "--out", tmp_path / "out")
    code, stdout, stderr = lepbench("evaluate", model_file, *options)
    assert (code, stdout) == (130, "")
    assert "run the same command again to continue" in stderr


def test_a_file_that_ends_too_early_is_no_interruption(
    lepbench: Command, model_file: Path, tiny_suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk cuts Python's compiled modules short, and their import raises EOFError."""

    def cut(*arguments: object, **named: object) -> None:
        raise EOFError("marshal data too short")

    monkeypatch.setattr(condition_runner, "score_pictures", cut)
    with pytest.raises(EOFError, match="too short"):
        lepbench("evaluate", model_file, "--suite", tiny_suite.folder, "--out", tmp_path / "out")


def faults(tmp_path: Path, model: Path, pipeline: Path, suite: Path) -> dict[str, tuple[list[object], str]]:
    """Every foreseeable fault: the arguments that cause it, and what the line must say."""

    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    text = model.read_text()
    ordinary = ["--suite", suite, "--out", tmp_path / "out"]
    crowded = tmp_path / "crowded"
    crowded.mkdir()
    (crowded / "thesis.tex").write_text("")
    return {
        "no model": ([tmp_path / "none.yaml", *ordinary], "cannot read"),
        "a misspelt key": ([written("a.yaml", text + "\nsuit: x"), *ordinary], "unknown key 'suit'"),
        "a protocol key": ([written("s.yaml", text + "\nseed: 1"), *ordinary], "unknown key 'seed'"),
        "no YAML": ([written("b.yaml", "name: ["), *ordinary], "not valid YAML"),
        "no weights": ([written("c.yaml", text.replace(str(pipeline), str(tmp_path))), *ordinary], "missing"),
        "no predictor": (
            [written("d.yaml", text.replace("name: unguided", "name: lep\n  predictor: none")), *ordinary],
            "none",
        ),
        "no suite": ([model, "--suite", "sketchworld-edge-v1"], "unknown suite"),
        "too many items": ([model, *ordinary, "--limit", 99], "holds 12 items, not 99"),
        "no items": ([model, *ordinary, "--limit", 0], "--limit"),
        "a file for a folder": ([model, "--suite", suite, "--out", model / "x"], "cannot create"),
        "a folder of others": ([model, "--suite", suite, "--out", crowded], "thesis.tex"),
        "an unknown option": ([model, *ordinary, "--seed", 3], "--seed"),
        "no such device": ([model, *ordinary, "--device", "abacus"], "abacus"),
    }


def test_every_fault_is_one_line(
    lepbench: Command, model_file: Path, tiny_suite: Suite, tiny_pipeline_folder: Path, tmp_path: Path
) -> None:
    for name, (arguments, message) in faults(
        tmp_path, model_file, tiny_pipeline_folder, tiny_suite.folder
    ).items():
        code, stdout, stderr = lepbench("evaluate", *arguments)
        assert (name, code, stdout) == (name, 2, "")
        lines = stderr.strip().splitlines()
        assert len(lines) == 1, (name, stderr)
        assert message in lines[0], (name, stderr)


def test_a_folder_that_cannot_be_written_is_one_line(
    lepbench: Command,
    model_file: Path,
    tiny_suite: Suite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def denied(**arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    # Permissions do not bind a superuser, so the refusal itself is put in place.
    monkeypatch.setattr("lepbench.evaluation.folder.tempfile.TemporaryFile", denied)
    options = ("--suite", tiny_suite.folder, "--out", tmp_path / "out")
    code, _, stderr = lepbench("evaluate", model_file, *options)
    assert code == 2
    assert stderr.strip().endswith("Permission denied; choose a writable folder")


def test_missing_judges_are_one_line(
    lepbench: Command,
    model_file: Path,
    tiny_suite: Suite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opening, "load_judges", judges_module.load_judges)
    monkeypatch.setattr(references, "ASSETS", tmp_path / "nothing")
    options = ("--suite", tiny_suite.folder, "--out", tmp_path / "out")
    code, _, stderr = lepbench("evaluate", model_file, *options)
    assert code == 2
    assert len(stderr.strip().splitlines()) == 1
    assert "there are no statistics 'judge-statistics@1'" in stderr
