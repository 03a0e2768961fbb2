"""What the tests of the API share: a model of random weights, a finished run of it, and a predictor."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import lepbench
from lepbench.cli.app import main
from lepbench.evaluation.record import Record
from lepbench.predictors import MlpConfig, MlpPredictor

LIMIT = 3


@pytest.fixture(scope="session", autouse=True)
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Reference rows are drawn once for all of these tests, and away from the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEPBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def document(tiny_pipeline_folder: Path) -> dict[str, Any]:
    """The keys of a model's YAML file: the tiny pipeline, unguided, in two steps."""
    return {
        "name": "tiny",
        "backbone": str(tiny_pipeline_folder),
        "sampler": {"steps": 2},
        "method": "unguided",
    }


@pytest.fixture(scope="session")
def run(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A run of that model on three items."""
    out = tmp_path_factory.mktemp("runs") / "tiny"
    return lepbench.evaluate(document, out=out, limit=LIMIT, device="cpu", progress=False)


@pytest.fixture(scope="session")
def predictor_folder(tiny_backbone: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lep")
    config = MlpConfig(taps=tiny_backbone.tap_channels, out_channels=4, train_timesteps=1000, hidden=(16,))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        MlpPredictor(config).save_pretrained(folder)
    return folder


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run `lepbench` with arguments, which must succeed, and return what it printed."""

    def call(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["lepbench", *(str(one) for one in arguments)])
        main()
        return capsys.readouterr().out

    return call
