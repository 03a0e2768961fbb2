"""The case of the benchmark is a suite with a model, and every step that it times can be taken."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from benchmark_script import load_script

from lepbench.config import load_config
from lepbench.images import read_pixels
from lepbench.methods import ModelConfig, PrecomputedConfig
from lepbench.suites import Suite

ITEMS, SIZE = 3, 64


@pytest.fixture(scope="module")
def large_run() -> ModuleType:
    """The benchmark, which is a script and no part of the package."""
    return load_script("large_run")


def test_the_models_pictures_are_those_of_the_suite(large_run: ModuleType, tmp_path: Path) -> None:
    large_run.make_case(tmp_path, ITEMS, SIZE)
    suite, model = Suite(tmp_path / "suite"), load_config(tmp_path / "model.yaml", ModelConfig)
    assert len(suite.items()) == ITEMS
    assert isinstance(model.method, PrecomputedConfig)
    for item in suite:
        picture = (model.method.folder / f"{item.item_id}-0.png").read_bytes()
        assert item.image is not None
        assert np.array_equal(read_pixels(picture), item.image)
        assert item.strokes.any()


def test_every_step_can_be_taken(large_run: ModuleType, tmp_path: Path) -> None:
    steps = large_run.list_steps(tmp_path, SIZE)
    assert len(steps) == 10
    for step in steps.values():
        assert step(0) is not None
