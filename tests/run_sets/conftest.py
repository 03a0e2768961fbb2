"""What the tests of sets share: a tiny model and suite, and a count of what is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_evaluation import own_cache, tiny_judges, tiny_model, tiny_suite

from lepbench.evaluation import condition_runner, last_judges
from lepbench.evaluation.conditions import Condition
from lepbench.evaluation.sample import Batch
from lepbench.judges import Judges
from lepbench.suites import Suite

__all__ = ["own_cache", "tiny_judges", "tiny_model", "tiny_suite"]

Document = dict[str, Any]


@pytest.fixture
def tiny_entry(tiny_pipeline_folder: Path) -> Callable[..., Document]:
    """A model's keys: the tiny pipeline, unguided, in two steps; and others that are given."""

    def make(name: str, **keys: Any) -> Document:
        plain = {"backbone": str(tiny_pipeline_folder), "sampler": {"steps": 2}, "method": "unguided"}
        return {"name": name, **plain, **keys}

    return make


@pytest.fixture
def tiny_set(tiny_suite: Suite, tmp_path: Path) -> Callable[..., Document]:
    """A set's keys: models on two items of the tiny suite; and others that are given."""

    def make(*models: Any, **keys: Any) -> Document:
        plain: Document = {"name": "tiny-set", "out": str(tmp_path / "set"), "limit": 2, "device": "cpu"}
        # Distances and their tests take longer than two pictures.
        protocol = tmp_path / "edges-alone.yaml"
        protocol.write_text("name: edges-alone\nmeasures: [edges]\n")
        plain |= {"suites": [str(tiny_suite.folder)], "protocols": [str(protocol)]}
        return {**plain, "models": list(models), **keys}

    return make


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch, tiny_judges: Judges) -> Counter[str]:
    """Runs of sets are judged by the tiny judges; counts the batches drawn of each condition."""
    monkeypatch.setattr(last_judges, "load_judges", lambda protocol, device: tiny_judges)
    counts: Counter[str] = Counter()
    draw = condition_runner.draw_batch

    def count(row: Condition, batch: Batch) -> Any:
        counts[row.name] += 1
        return draw(row, batch)

    monkeypatch.setattr(condition_runner, "draw_batch", count)
    return counts
