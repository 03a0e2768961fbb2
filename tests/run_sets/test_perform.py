"""A set of real runs: what is missing is done, once, whatever came before."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

import lepbench
from lepbench.backbones import Backbone, load_backbone
from lepbench.backbones.load import Precision
from lepbench.errors import LepbenchError
from lepbench.evaluation import condition_runner
from lepbench.evaluation.condition_runner import Failure
from lepbench.evaluation.conditions import CONDITIONS, Condition
from lepbench.evaluation.record import read_record
from lepbench.evaluation.run import evaluate
from lepbench.evaluation.sample import Batch
from lepbench.run_sets import last_backbone, perform
from lepbench.run_sets.perform import write_duration
from lepbench.run_sets.plan import make_plan
from lepbench.suites import Suite

Make = Callable[..., dict[str, Any]]
TASK = "tiny-suite/edges-alone"
STEPS = {"sampler.steps": [1, 2]}


def run(document: dict[str, Any], **options: Any) -> Any:
    return lepbench.run_set(document, progress=False, **options)


@pytest.mark.slow
def test_a_set_ends_in_tables_and_plots(
    tiny_set: Make, tiny_entry: Make, drawn: Counter[str], tmp_path: Path
) -> None:
    plots = [
        {"x": "sampler.steps", "y": "edge_f1_1px"},
        {"x": "passes", "y": "edge_f1_2px"},
        {"front": ["edge_recall_1px", "edge_precision_1px"], "box": {"edge_recall_1px": [0, 0.5]}},
    ]
    outcome = run(tiny_set(tiny_entry("tiny", sweep=STEPS), tiny_entry("one"), plots=plots))
    assert not outcome.failed
    names = ["tiny-steps-1", "tiny-steps-2", "one"]
    assert list(outcome.records) == [f"{TASK}/{name}" for name in names]
    assert {path.name for path in outcome.folder.iterdir()} == {*outcome.files, "set.json", "tiny-suite"}
    assert all((outcome.folder / name / "sheet.png").is_file() for name in outcome.records)

    frame = outcome.to_frame()
    model = frame[frame["row"] == "model"].set_index("model")
    assert list(model.index) == names
    assert list(model["sampler.steps"]) == [1, 2, 2]
    assert list(model["passes"]) == [2, 4, 4]
    for name in names:
        figure = outcome.records[f"{TASK}/{name}"].rows["model"]["edge_f1_1px"]
        assert tuple(model.loc[name, ["edge_f1_1px", "edge_f1_1px_low", "edge_f1_1px_high"]]) == (
            figure.value,
            figure.low,
            figure.high,
        )
    written = pd.read_csv(outcome.folder / "table.csv")
    assert list(written["row"]) == list(CONDITIONS) * 3
    assert list(written[written["row"] == "real"]["seconds"].isna()) == [True] * 3
    table = (outcome.folder / "table.md").read_text()
    assert table.count("\n| tiny-steps-1 |") == table.count("\n| one |") == 1
    for file in outcome.files:
        if file.endswith((".png", ".jpg")):
            with Image.open(outcome.folder / file) as picture:
                assert min(picture.size) > 400

    # Two models of two steps draw the same pictures: both are on the front of all, if either is.
    fronts = pd.read_csv(outcome.folder / "fronts.csv").set_index("models")
    assert list(fronts.index) == ["tiny", "one", "all models"]
    assert set(fronts["first_best"]) == {0.5}
    assert set(fronts["second_best"]) == {1}
    assert fronts.loc["tiny", "area"] == pytest.approx(fronts.loc["all models", "area"])
    whole = str(fronts.loc["all models", "front"]).split()
    assert ("one" in whole) == ("tiny-steps-2" in whole)


@pytest.mark.slow
def test_what_a_set_no_longer_writes_is_removed(
    tiny_set: Make, tiny_entry: Make, drawn: Counter[str]
) -> None:
    model = tiny_entry("tiny", sweep=STEPS)
    plots = [{"front": ["edge_f1_1px", "edge_f1_2px"]}, {"x": "passes", "y": "edge_f1_2px"}]
    outcome = run(tiny_set(model, plots=plots))
    kept = outcome.folder / "table.html"
    kept.write_text("not the set's")
    assert {"table.md", "fronts.csv"} < {path.name for path in outcome.folder.iterdir()}
    amended = run(tiny_set(model, plots=plots[1:], table={"format": "latex"}))
    assert amended.files == ["table.csv", "table.tex", "edge_f1_2px-over-passes.png", "sheet-tiny-suite.jpg"]
    left = {*amended.files, "set.json", "table.html", "tiny-suite"}
    assert {path.name for path in outcome.folder.iterdir()} == left
    assert json.loads((outcome.folder / "set.json").read_text())["files"] == amended.files


@pytest.mark.slow
def test_a_first_look_has_a_folder_and_titles_of_its_own(
    tiny_set: Make, tiny_entry: Make, drawn: Counter[str], tmp_path: Path
) -> None:
    outcome = run(tiny_set(tiny_entry("a"), limit=3), quick=True)
    assert outcome.folder == tmp_path / "set-quick"
    assert not (tmp_path / "set").exists()
    (record,) = outcome.records.values()
    assert record.identity.items == 2
    title = "tiny-suite by edges-alone: a first look"
    assert title in (outcome.folder / "table.md").read_text()
    assert [table.title for table in outcome.tables] == [title]


@pytest.mark.slow
def test_references_are_drawn_once_and_an_amended_set_does_what_is_missing(
    tiny_set: Make, tiny_entry: Make, drawn: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[str] = []

    def load(name: str, device: str, precision: Precision) -> Backbone:
        loads.append(name)
        return load_backbone(name, device, precision)

    monkeypatch.setattr(last_backbone, "load_backbone", load)
    run(tiny_set(tiny_entry("a"), tiny_entry("b"), tiny_entry("c", sweep={"sampler.steps": [1]})))
    # a and b share what networks draw, c has its own sampler: its unguided pictures are others. Every run
    # makes its own true pictures and overlay.
    assert drawn == {"real": 3, "vae": 1, "unguided": 2, "overlay": 3, "model": 3, "wrong_sketch": 3}
    assert len(loads) == 1

    drawn.clear()
    amended = tiny_set(tiny_entry("a"), tiny_entry("b"), tiny_entry("c", sweep=STEPS))
    assert make_plan(amended).describe().splitlines()[-1] == "runs: 4 (3 done, 1 missing)"
    outcome = run(amended)
    assert drawn == {"real": 1, "overlay": 1, "model": 1, "wrong_sketch": 1}
    assert len(outcome.records) == 4

    drawn.clear()
    sheet = outcome.folder / TASK / "a" / "sheet.png"
    sheet.unlink()
    assert run(amended).to_frame().equals(outcome.to_frame())
    assert not drawn
    assert sheet.is_file()


@pytest.mark.slow
def test_a_model_of_other_values_is_refused_before_anything_is_drawn(
    tiny_set: Make, tiny_entry: Make, drawn: Counter[str], tmp_path: Path
) -> None:
    run(tiny_set(tiny_entry("a")))
    kept = (tmp_path / "set" / TASK / "a" / "record.json").read_bytes()
    drawn.clear()
    other = tiny_entry("a", sampler={"steps": 1})
    with pytest.raises(LepbenchError, match=rf"{TASK}/a holds .* another run \(differs in model\)"):
        run(tiny_set(tiny_entry("b"), other))
    with pytest.raises(LepbenchError, match=r"differs in items"):
        run(tiny_set(tiny_entry("a"), limit=3))
    assert not drawn
    assert (tmp_path / "set" / TASK / "a" / "record.json").read_bytes() == kept


@pytest.mark.slow
def test_what_fails_is_listed_and_retried_and_the_others_are_done(
    tiny_set: Make, tiny_entry: Make, drawn: Counter[str], tmp_path: Path
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    elsewhere = {"name": "elsewhere", "method": {"name": "precomputed", "folder": str(pictures)}}
    given = tiny_set(elsewhere, tiny_entry("a"), tiny_entry("b"))
    outcome = run(given)
    (reason,) = outcome.failed.values()
    assert list(outcome.failed) == [f"{TASK}/elsewhere"]
    assert reason.startswith(f"{pictures} does not hold the 2 pictures asked for: 2 missing")
    assert list(outcome.records) == [f"{TASK}/a", f"{TASK}/b"]
    assert "elsewhere" not in (outcome.folder / "table.md").read_text()

    shutil.copytree(outcome.folder / TASK / "a" / "samples" / "model", pictures, dirs_exist_ok=True)
    drawn.clear()
    mended = run(given)
    assert not mended.failed
    assert list(mended.records) == [f"{TASK}/elsewhere", f"{TASK}/a", f"{TASK}/b"]
    assert drawn == {"real": 1, "model": 1, "wrong_sketch": 1}


@pytest.mark.slow
def test_pictures_that_failed_are_drawn_again(
    tiny_set: Make, tiny_entry: Make, drawn: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = condition_runner.draw_batch

    def fail_first(row: Condition, batch: Batch) -> Any:
        pictures = draw(row, batch)
        return [Failure("no memory"), *pictures[1:]] if row.name == "model" else pictures

    given = tiny_set(tiny_entry("a"), tiny_entry("b"))
    run(given, only="b")
    monkeypatch.setattr(condition_runner, "draw_batch", fail_first)
    (record, _) = run(given).records.values()
    assert record.failed["model"] == 1
    assert make_plan(given).describe().splitlines()[0] == f"partly failed {TASK}/a"
    monkeypatch.setattr(condition_runner, "draw_batch", draw)
    drawn.clear()
    (record, _) = run(given).records.values()
    assert not any(record.failed.values())
    assert drawn == {"model": 1, "wrong_sketch": 1}


@pytest.mark.slow
def test_a_fault_of_no_user_stops_its_own_run_alone(
    tiny_set: Make,
    tiny_entry: Make,
    drawn: Counter[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def fail(model: Any, *arguments: Any, **named: Any) -> Any:
        if model.name == "a":
            raise RuntimeError("no\nmemory")
        return evaluate(model, *arguments, **named)

    monkeypatch.setattr(perform, "evaluate", fail)
    outcome = run(tiny_set(tiny_entry("a"), tiny_entry("b")))
    assert outcome.failed == {f"{TASK}/a": "RuntimeError: no memory"}
    assert list(outcome.records) == [f"{TASK}/b"]
    nothing = run(tiny_set(tiny_entry("a"), out=str(tmp_path / "other")))
    assert (nothing.records, nothing.files) == ({}, [])
    assert nothing.to_frame().empty


@pytest.mark.slow
def test_only_some_models_are_done_and_all_that_are_done_are_shown(
    tiny_set: Make, tiny_entry: Make, drawn: Counter[str]
) -> None:
    given = tiny_set(tiny_entry("a"), tiny_entry("b"))
    seen: list[str] = []
    outcome = lepbench.run_set(given, only="a", progress=lambda stage, done, total: seen.append(stage))
    assert list(outcome.records) == [f"{TASK}/a"]
    assert {stage.partition(": ")[0] for stage in seen} == {"run 1 of 1"}
    assert set(CONDITIONS) == {stage.rpartition(": ")[2] for stage in seen}
    drawn.clear()
    assert list(run(given, only="b").records) == [f"{TASK}/a", f"{TASK}/b"]
    assert drawn["model"] == 1


KILLED = """
import json, os, signal, sys
import lepbench
from lepbench.backbones import Backbone, load_backbone
from lepbench.backbones.load import Precision
from lepbench.evaluation import condition_runner
from lepbench.evaluation.condition_runner import Failure
score, left = condition_runner.score_pictures, int(sys.argv[2])

def counted(*arguments, **named):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return score(*arguments, **named)

condition_runner.score_pictures = counted
lepbench.run_set(json.loads(sys.argv[1]), progress=False)
"""


@pytest.mark.slow
def test_a_set_that_was_killed_goes_on_where_it_was(
    tiny_set: Make, tiny_entry: Make, tiny_suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tiny_set(tiny_entry("a"), tiny_entry("b"))
    # Six conditions of a, and three of b; the kill comes while the pictures of its model are compared.
    command = [sys.executable, "-c", KILLED, json.dumps(document), "9"]
    killed = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert make_plan(document).describe().splitlines() == [
        f"done          {TASK}/a",
        f"begun         {TASK}/b",
        "runs: 2 (1 done, 1 begun)",
    ]
    counts: Counter[str] = Counter()
    draw = condition_runner.draw_batch

    def count(row: Condition, batch: Batch) -> Any:
        counts[row.name] += 1
        return draw(row, batch)

    monkeypatch.setattr(condition_runner, "draw_batch", count)
    outcome = run(document)
    assert counts == {"wrong_sketch": 1}
    first, second = (read_record(outcome.folder / TASK / name) for name in "ab")
    assert first.rows == second.rows


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (59, "59 s"), (600, "10 min"), (9000, "2.5 h")])
def test_durations_are_read_at_a_glance(seconds: float, said: str) -> None:
    assert write_duration(seconds) == said
