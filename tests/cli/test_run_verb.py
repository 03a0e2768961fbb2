"""`lepbench run` as a person runs it: a list, a table, what failed, and every fault in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from command import call_command
from tiny_evaluation import own_cache, tiny_judges, tiny_suite

from lepbench.cli.run import command
from lepbench.embedded import ASSETS
from lepbench.evaluation import last_judges
from lepbench.judges import Judges
from lepbench.run_sets.plan import make_plan, read_set
from lepbench.run_sets.suite_config import SuiteEntry
from lepbench.suites import Suite

__all__ = ["own_cache", "tiny_judges", "tiny_suite"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def document(tiny_suite: Suite, tiny_pipeline_folder: Path) -> dict[str, Any]:
    """Two models that can be drawn, and one that cannot."""
    plain = {"backbone": str(tiny_pipeline_folder), "method": "unguided"}
    return {
        "name": "mine",
        "suites": [str(tiny_suite.folder)],
        "protocols": ["edges-alone.yaml"],
        "limit": 2,
        "models": [
            {"name": "broken", "method": {"name": "precomputed", "folder": "empty"}},
            {"name": "tiny", **plain, "sweep": {"sampler.steps": [1, 2]}},
        ],
        "plots": [{"front": ["edge_f1_1px", "edge_f1_2px"]}],
    }


@pytest.mark.slow
def test_a_set_is_listed_done_and_shown(
    document: dict[str, Any],
    tiny_judges: Judges,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(last_judges, "load_judges", lambda protocol, device: tiny_judges)
    Path("empty").mkdir()
    Path("edges-alone.yaml").write_text("name: edges-alone\nmeasures: [edges]\n")
    Path("set.yaml").write_text(yaml.safe_dump(document))
    assert call_command(monkeypatch, "run", "set.yaml", "--dry-run") == 0
    listed = capsys.readouterr()
    assert listed.out.splitlines()[0] == "missing       tiny-suite/edges-alone/broken"
    assert listed.out.splitlines()[-1] == "runs: 3 (3 missing)"
    assert not Path("runs").exists()

    assert call_command(monkeypatch, "run", "set.yaml") == 1
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert lines[0] == "run 1 of 3: tiny-suite/edges-alone/broken"
    assert lines[2].startswith("run 3 of 3: tiny-suite/edges-alone/tiny-steps-2, about ")
    assert lines[3].startswith("wrote runs/mine: table.csv, table.md, fronts.csv, front-")
    assert lines[4].startswith("failed: tiny-suite/edges-alone/broken: empty does not hold the 2 pictures")
    assert lines[5:] == ["run the same command again to retry what failed"]
    assert "tiny-suite by edges-alone" in said.out
    assert "area of the front, edge_f1_1px from 0 to 1 and edge_f1_2px from 0 to 1: tiny 0." in said.out

    assert call_command(monkeypatch, "run", "set.yaml", "--only", "tiny-*") == 0
    again = capsys.readouterr()
    assert again.out == said.out
    assert len(again.err.splitlines()) == 1


def test_a_fault_is_one_line(
    document: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("set.yaml").write_text(yaml.safe_dump({**document, "modles": []}))
    assert call_command(monkeypatch, "run", "set.yaml") == 2
    assert call_command(monkeypatch, "run", "none.yaml") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "lepbench: set.yaml: unknown key 'modles'; did you mean 'models'?",
        "lepbench: cannot read none.yaml: No such file or directory; check the path",
    ]


NEEDS_TRAINING = "encoders.yaml"
SETS = [
    path.name
    for path in (ROOT / "examples").glob("*.yaml")
    if "\nmodels:" in path.read_text() and path.name != NEEDS_TRAINING
]


@pytest.mark.parametrize("name", sorted(SETS))
def test_an_example_is_listed_and_leaves_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("examples").symlink_to(ROOT / "examples")
    assert call_command(monkeypatch, "run", f"examples/{name}", "--dry-run") == 0
    *lines, last = capsys.readouterr().out.splitlines()
    missing = [line for line in lines if line.startswith("missing  ")]
    assert last == f"runs: {len(missing)} ({len(missing)} missing)"
    assert len(missing) >= 3
    assert {path.name for path in tmp_path.iterdir()} <= {"examples", "cache"}


def test_several_sets_are_checked_before_one_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("examples").symlink_to(ROOT / "examples")
    sets = ["examples/contestants.yaml", "examples/trade-off.yaml"]
    assert call_command(monkeypatch, "run", *sets, "--quick", "--dry-run") == 0
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if line.startswith("runs: ")] == [
        "runs: 24 (24 missing)",
        "runs: 10 (10 missing)",
    ]
    assert call_command(monkeypatch, "run", *sets, "none.yaml") == 2
    assert not Path("runs").exists()


def test_encoders_that_do_not_ship_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("examples").symlink_to(ROOT / "examples")
    assert call_command(monkeypatch, "run", "examples/encoders.yaml", "--dry-run") == 2
    assert "work/mini/controlnet-mini-8x@1" in capsys.readouterr().err
    for name in ("controlnet-mini-8x@1", "t2i-adapter-mini-8x@1"):
        Path("work/mini").mkdir(parents=True, exist_ok=True)
        Path("work/mini", name).symlink_to(ASSETS / name.replace("-8x", ""))
    assert call_command(monkeypatch, "run", "examples/encoders.yaml", "--dry-run") == 0
    assert "runs: 10" in capsys.readouterr().out


def test_the_questions_are_asked_of_ten_models_on_eight_suites() -> None:
    config = read_set(ROOT / "examples" / "questions.yaml")
    entries = [suite for suite in config.suites if isinstance(suite, SuiteEntry)]
    assert [(entry.name, entry.make, entry.items) for entry in entries] == [
        ("sketchworld-completion", "completion", 24),
        ("sketchworld-strokes", "strokes", 24),
        ("sketchworld-conflict", "conflict", 32),
        ("sketchworld-robust", "robust", 12),
        ("sketchworld-abstraction", "freehand", 24),
        ("sketchworld-maps", "maps", 24),
        ("sketchworld-prompts", "prompts", 16),
        ("sketchworld-attributes", "attributes", 48),
    ]


def test_the_file_of_the_help_is_a_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert command.help is not None
    shown = command.help.partition("A file:\n")[2]
    assert len(make_plan(yaml.safe_load(shown)).runs) == 14
