"""`lepbench evaluate --shards` and `lepbench merge`, as the jobs of an array call them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import call_command
from tiny_evaluation import own_cache, tiny_suite

from lepbench.suites import Suite

__all__ = ["own_cache", "tiny_suite"]


@pytest.mark.slow
def test_two_jobs_and_a_merge_are_a_run(
    tiny_pipeline_folder: Path,
    tiny_suite: Suite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(
        f"name: tiny\nbackbone: {tiny_pipeline_folder}\nsampler: {{steps: 1}}\nmethod: unguided\n"
    )
    Path("edges.yaml").write_text("name: edges-alone\nmeasures: [edges]\njudges: []\n")
    evaluate = ["evaluate", "tiny.yaml", "--suite", tiny_suite.folder, "--protocol", "edges.yaml"]
    for number in (1, 2):
        assert call_command(monkeypatch, *evaluate, "--shards", f"{number}/2") == 0
        assert f"wrote shard {number}/2 into runs/tiny.{number}-of-2" in capsys.readouterr().err
    assert call_command(monkeypatch, "merge", "runs/tiny.1-of-2", "--suite", tiny_suite.folder) == 2
    assert "shards are missing: 2/2" in capsys.readouterr().err
    parts = ["runs/tiny.1-of-2", "runs/tiny.2-of-2"]
    assert call_command(monkeypatch, "merge", *parts, "--suite", tiny_suite.folder, "--json") == 0
    assert json.loads(capsys.readouterr().out)["samples"] == 10
    assert {path.name for path in Path("runs/tiny").iterdir()} == {
        *("record.json", "report.html", "run.json", "samples", "samples.parquet", "sheet.png", "table.csv")
    }
    assert call_command(monkeypatch, *evaluate, "--shards", "3/2") == 2
    assert "'3/2' is no share" in capsys.readouterr().err
    assert call_command(monkeypatch, *evaluate, "--engine", "here", "--timeout", "9") == 2
    assert "engine 'here' cannot stop a batch that takes too long" in capsys.readouterr().err
