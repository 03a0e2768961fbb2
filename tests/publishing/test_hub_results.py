"""The hub's own classes read what is written for it, and nothing is uploaded unless asked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import yaml
from command import call_command
from forged_run import finished
from huggingface_hub import EvalResultEntry, parse_eval_result_entries

from lepbench.errors import LepbenchError
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.record import read_record
from lepbench.evaluation.run import evaluate
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.publishing.hub_results import Benchmark, format_benchmark, make_benchmark, make_results
from lepbench.suites import Suite, load_suite

__all__ = ["finished"]

DATASET = "someone/tiny-suite"
TASK = "lepbench-edges-v1.faithful_f1"


@pytest.fixture(autouse=True)
def uploads(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would have gone to the hub."""
    sent: list[dict[str, Any]] = []

    class Api:
        def upload_file(self, **given: Any) -> Any:
            sent.append(given)
            return type("Commit", (), {"commit_url": "https://hub/commit/1"})

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    return sent


def test_a_suite_is_a_benchmark_of_the_figure_that_ranks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], uploads: list[dict[str, Any]]
) -> None:
    assert call_command(monkeypatch, "hub", "eval-yaml", "sketchworld-edges-v1") == 0
    written = yaml.safe_load(capsys.readouterr().out)
    about = load_suite("sketchworld-edges-v1").definition
    assert written == {
        "name": "sketchworld-edges-v1",
        "description": about.description,
        "evaluation_framework": "lepbench",
        "tasks": [{"id": TASK}],
    }
    assert uploads == []


def test_figures_that_are_named_are_tasks_each_of_an_id_that_a_path_can_hold() -> None:
    suite = load_suite("sketchworld-edges-v1")
    chosen = ("kid@sketchworld-clip", "edge_f1_1px")
    made = make_benchmark(suite, select_protocol(suite), chosen, config="default", split="test")
    read = yaml.safe_load(format_benchmark(made))
    assert read["tasks"] == [
        {"id": f"lepbench-edges-v1.{name}", "config": "default", "split": "test"}
        for name in ("kid-sketchworld-clip", "edge_f1_1px")
    ]
    assert Benchmark.model_validate(read) == made


@pytest.mark.slow
def test_the_hubs_reader_gets_back_what_its_writer_was_given(
    finished: Path,
    tiny_suite: Suite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    uploads: list[dict[str, Any]],
) -> None:
    command = ["hub", "results", finished, "--dataset", DATASET, "--suite", tiny_suite.folder]
    more = ["--revision", "a" * 40, "--date", "2026-11-27", "--metrics", "faithful_f1,edge_f1_1px"]
    source = ["--source-url", "https://example.org/run.zip", "--source-user", "someone"]
    assert call_command(monkeypatch, *command, *more, *source, "--out", tmp_path) == 0
    path = tmp_path / ".eval_results" / "tiny-suite.yaml"
    assert capsys.readouterr().out == f"{path}\n"
    figures = read_record(finished).rows["model"]
    entries = parse_eval_result_entries(yaml.safe_load(path.read_text()))
    for entry, name in zip(entries, ("faithful_f1", "edge_f1_1px"), strict=True):
        assert entry.notes is not None
        assert entry.notes.startswith(f"{name} by lepbench ")
        assert "10 items, 95% interval" in entry.notes
        assert entry == EvalResultEntry(
            dataset_id=DATASET,
            task_id=f"lepbench-edges-v1.{name}",
            value=figures[name].value,
            dataset_revision="a" * 40,
            date="2026-11-27",
            source_url="https://example.org/run.zip",
            source_user="someone",
            notes=entry.notes,
        )
    assert uploads == []
    tasks = make_benchmark(tiny_suite, select_protocol(tiny_suite), ("faithful_f1", "edge_f1_1px")).tasks
    assert [task.id for task in tasks] == [entry.task_id for entry in entries]


@pytest.mark.slow
def test_a_file_is_uploaded_on_request_alone(
    finished: Path,
    tiny_suite: Suite,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    uploads: list[dict[str, Any]],
) -> None:
    results = ["hub", "results", finished, "--dataset", DATASET, "--suite", tiny_suite.folder]
    for command in (results, ["hub", "eval-yaml", tiny_suite.folder]):
        assert call_command(monkeypatch, *command) == 0
        assert uploads == []
        printed = capsys.readouterr().out
        assert call_command(monkeypatch, *command, "--push", "someone/there") == 0
        said = capsys.readouterr()
        assert said.out == printed
        assert said.err.strip().splitlines()[-1] == "https://hub/commit/1"
        sent = uploads.pop()
        assert sent["path_or_fileobj"].decode() == printed
        assert (sent["repo_id"], sent["repo_type"], sent["path_in_repo"]) == (
            "someone/there",
            *(("model", ".eval_results/tiny-suite.yaml") if command is results else ("dataset", "eval.yaml")),
        )


@pytest.mark.slow
def test_what_cannot_be_published_is_one_line(finished: Path, tiny_suite: Suite, tmp_path: Path) -> None:
    record = read_record(finished)
    for dataset in ("tiny", "some one/tiny", "a/b/c"):
        with pytest.raises(LepbenchError, match="no repository of the hub"):
            make_results(record, dataset)
    with pytest.raises(LepbenchError, match="has no figure 'faithful_f2'; did you mean 'faithful_f1'"):
        make_results(record, DATASET, ["faithful_f2"])
    empty = next(name for name, figure in record.rows["model"].items() if figure.value is None)
    with pytest.raises(LepbenchError, match="has no value"):
        make_results(record, DATASET, [empty])


def test_figures_that_can_be_named_are_listed_where_none_ranks(tiny_suite: Suite) -> None:
    terms = select_protocol(tiny_suite).model_copy(update={"rank_by": None})
    with pytest.raises(LepbenchError, match=r"name some by --metrics, of: faithful_f1, .*edge_f1_1px"):
        make_benchmark(tiny_suite, terms)


@pytest.mark.slow
def test_a_run_of_few_items_is_not_published(
    tiny_model: ModelConfig,
    tiny_suite: Suite,
    tiny_judges: Judges,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / "cache"))
    evaluate(tiny_model, tiny_suite, tmp_path / "few", limit=2, device="cpu", judges=tiny_judges)
    command = ["hub", "results", tmp_path / "few", "--dataset", DATASET, "--suite", tiny_suite.folder]
    assert call_command(monkeypatch, *command) == 2
    assert "has 2 items and results on the hub are of 10 or more" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_that_its_samples_do_not_bear_out_is_not_published(
    finished: Path,
    tiny_suite: Suite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    forged = tmp_path / "forged"
    shutil.copytree(finished, forged)
    record = json.loads((forged / "record.json").read_text())
    record["rows"]["model"]["faithful_f1"]["value"] = 0.99
    (forged / "record.json").write_text(json.dumps(record))
    command = ["hub", "results", forged, "--dataset", DATASET, "--suite", tiny_suite.folder]
    assert call_command(monkeypatch, *command, "--push", "someone/there") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "its samples say" in said.err
