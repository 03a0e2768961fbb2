"""examples/plugin, installed as a stranger installs it: evaluated, verified, listed, and used in a build."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage

from lepbench.detectors import select_detector
from lepbench.evaluation.record import read_record
from lepbench.files import sha256_file
from lepbench.methods import METHODS, Request

Command = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).parents[2] / "examples" / "plugin"
CODE = ROOT / "lepbench_plugin_example"

try:
    version("lepbench-plugin-example")
except PackageNotFoundError:
    pytest.skip("needs 'pip install --no-deps ./examples/plugin', which tox does", allow_module_level=True)


@pytest.fixture
def run(command: Command, tmp_path: Path) -> Path:
    """A run of the example's model by the example's protocol."""
    terms = ("--protocol", ROOT / "protocol.yaml", "--limit", 4, "--device", "cpu", "--out", tmp_path / "run")
    code, stdout, stderr = command("evaluate", ROOT / "model.yaml", *terms, "--json")
    assert code == 0, stderr
    assert json.loads(stdout)["submitted_code"] == [
        "lepbench_plugin_example.method",
        "lepbench_plugin_example.detector",
        "lepbench_plugin_example.measure",
    ]
    return tmp_path / "run"


def test_it_is_evaluated_and_verified(run: Path, command: Command) -> None:
    weights = read_record(run).identity.weights
    for name in ("method", "detector", "measure"):
        assert weights[f"code/lepbench_plugin_example.{name}"] == sha256_file(CODE / f"{name}.py")
    with (run / "table.csv").open(newline="") as stream:
        lines = {line["row"]: line for line in csv.DictReader(stream)}
    # The sketches are the edges of the real pictures.
    assert float(lines["real"]["ink_error"]) == 0
    assert 0 < float(lines["model"]["ink_error"]) < 1
    assert float(lines["model"]["edge_f1_1px"]) > float(lines["wrong_sketch"]["edge_f1_1px"])
    for images in ((), ("--images",)):
        code, stdout, stderr = command("verify", run, "--protocol", ROOT / "protocol.yaml", *images)
        assert code == 0, stderr
        assert "figures follow from the samples" in stdout


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("methods", "colouring-book"),
        ("detectors", "morphological"),
        ("measures", "ink"),
        ("protocols", "ink-v1"),
        ("plugins", "example"),
    ],
)
def test_it_is_listed(command: Command, subject: str, name: str) -> None:
    code, stdout, _ = command("list", subject, "--json")
    row = next(row for row in json.loads(stdout) if row["name"] == name)
    assert code == 0
    assert row.get("state", "ready") == "ready"


@pytest.mark.slow
def test_its_detector_builds_a_set_in_several_processes_as_in_one(command: Command, tmp_path: Path) -> None:
    words = ["build-data", "sketchworld", "--detector", "morphological", "--limit", 8, "--shard-rows", 4]
    for workers in (1, 2):
        code, _, stderr = command(*words, "--workers", workers, "--out", tmp_path / f"of-{workers}")
        assert code == 0, stderr
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / f"of-{workers}").rglob("*.parquet")}
        for workers in (1, 2)
    )
    assert len(first) == 2
    assert first == second


def test_its_detector_is_the_morphological_gradient() -> None:
    images = torch.rand(2, 3, 9, 11, generator=torch.Generator().manual_seed(0))
    detector: Any = select_detector({"name": "morphological", "reach": 2})
    luma = np.einsum("bchw,c->bhw", images.numpy(), (0.299, 0.587, 0.114))
    wanted = [ndimage.morphological_gradient(one, size=(5, 5), mode="nearest") for one in luma]
    np.testing.assert_allclose(detector.soft(images).numpy(), wanted, atol=1e-6)


def test_its_method_colours_what_strokes_enclose() -> None:
    sketch = np.zeros((32, 32), np.bool_)
    sketch[8:20, 8:20] = True
    sketch[9:19, 9:19] = False
    method = METHODS.get("colouring-book").model_validate({"grain": 0}).build(None, None)  # type: ignore[arg-type]
    requests = [Request("0.png", "a Red box on yellow", sketch, seed=0)]
    requests += [Request("1.png", "", np.zeros((32, 32), np.bool_), seed=0)]
    boxed, blank = method.draw(requests)
    np.testing.assert_allclose(boxed[:, 14, 14], (0.85, 0.2, 0.2))
    np.testing.assert_allclose(boxed[:, 0, 0], (0.95, 0.85, 0.25))
    np.testing.assert_allclose(blank.flatten(1).std(dim=1), 0, atol=1e-6)
