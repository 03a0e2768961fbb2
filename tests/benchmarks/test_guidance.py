"""The table of guidance options has the figures that an evaluation of the same model has."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmark_script import load_script

from lepbench.evaluation.run import evaluate
from lepbench.progress import ignore_progress
from lepbench.suites import load_suite

ITEMS = 4


@pytest.mark.slow
def test_a_line_has_the_figures_of_the_models_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / "cache"))
    script = load_script("guidance")
    suite = load_suite(script.SUITE)
    model = script.model_of("quick", {"steps": 2}, {"scale": 1.2, "stop": 0.2})
    bench = script.Bench(suite, 0, ITEMS, tmp_path / "bench")
    line = bench.line("quick", model, ignore_progress)
    figures = evaluate(model, suite, tmp_path / "run", limit=ITEMS, device="cpu").rows["model"]
    assert (line["items"], line["passes"]) == (ITEMS, 4)
    for name in ("edge_f1_1px", "edge_recall_1px"):
        assert line[name] == pytest.approx(figures[name].value, abs=1e-4)
        assert line[f"{name}_low"] == pytest.approx(figures[name].low, abs=1e-4)
