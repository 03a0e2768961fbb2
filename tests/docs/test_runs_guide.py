"""The keys of docs/runs.md are those of a set, and its commands name files that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from lepbench.run_sets.config import RunSet
from lepbench.run_sets.plan import make_plan

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "runs.md").read_text(encoding="utf-8")


def test_the_models_and_plots_of_the_guide_are_a_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    models, suites, plots = map(yaml.safe_load, re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.M | re.S))
    plan = make_plan({"name": "guide", "models": models, **suites, **plots})
    assert [task.suite.name for task in plan.tasks] == ["sketchworld-edges-v1", "unfinished"]
    assert [run.variant.name for run in plan.runs[:6]] == [
        "mini-unguided",
        "lep",
        "lep-scale-0.8-stop-0.3",
        "lep-scale-0.8-stop-0.5",
        "lep-scale-1.2-stop-0.3",
        "lep-scale-1.2-stop-0.5",
    ]
    assert len(plan.config.plots) == 4


def test_the_table_of_keys_is_complete() -> None:
    rows = re.findall(r"^\| (`.*?) \|", TEXT, re.M)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(RunSet.model_fields) <= named


def test_the_commands_are_of_files_that_there_are() -> None:
    commands = re.findall(r"^lepbench run (\S+)", TEXT, re.M)
    assert len(commands) == 4
    assert all((ROOT / file).is_file() for file in commands)
