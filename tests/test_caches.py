"""Everything that is kept between runs lies below `$LEPBENCH_CACHE`, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_evaluation import own_cache, tiny_judges, tiny_model, tiny_suite

from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.detectors.prefetch import prefetch
from lepbench.evaluation.run import evaluate
from lepbench.files import find_cache_folder
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.predictors.train import train_predictor
from lepbench.predictors.train_config import TrainConfig
from lepbench.progress import ignore_progress
from lepbench.suites import Suite

__all__ = ["own_cache", "tiny_judges", "tiny_model", "tiny_suite"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user's own cache would be."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "lepbench"


def test_encoded_triplets_are_kept_there(
    own_cache: Path, elsewhere: Path, tiny_pipeline_folder: Path, tmp_path: Path
) -> None:
    data = tmp_path / "triplets"
    build_triplets(BuildConfig.model_validate({"source": "sketchworld", "limit": 12, "size": 64}), data)
    config = {"data": data, "backbone": str(tiny_pipeline_folder), "predictor": {"hidden": [8]}}
    config |= {"validation": 0.4, "steps": 1, "batch": 2, "warmup": 0, "device": "cpu"}
    train_predictor(TrainConfig.model_validate(config), tmp_path / "out", ignore_progress)
    assert list((own_cache / "latents").rglob("*.safetensors"))
    assert not elsewhere.exists()


def test_reference_rows_are_kept_there(
    own_cache: Path,
    elsewhere: Path,
    tiny_model: ModelConfig,
    tiny_suite: Suite,
    tiny_judges: Judges,
    tmp_path: Path,
) -> None:
    evaluate(tiny_model, tiny_suite, tmp_path / "out", limit=2, judges=tiny_judges)
    assert list((own_cache / "references").glob("*/*.parquet"))
    assert not elsewhere.exists()


def test_weights_of_detectors_are_kept_there(own_cache: Path, elsewhere: Path, tmp_path: Path) -> None:
    (tmp_path / "published.pth").write_bytes(b"weights")
    found = prefetch("dexined", str(tmp_path / "published.pth"), trust=True)
    assert found.path.is_relative_to(own_cache / "detectors")
    assert not elsewhere.exists()


def test_without_the_variable_it_is_the_users_cache(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEPBENCH_CACHE")
    assert find_cache_folder() == elsewhere
