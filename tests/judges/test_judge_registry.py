"""Judges are found by the names that a protocol gives, and recorded by the files behind them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lepbench.errors import LepbenchError
from lepbench.evaluation.judges import load_judges
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.files import sha256_bytes, sha256_file
from lepbench.judges import JUDGES, ClipScorer, LoadedJudge
from lepbench.judges.paths import ASSETS
from lepbench.suites import load_suite

EMBEDDED = [
    "judge@1/model.safetensors",
    "segmenter@1/model.safetensors",
    "matcher@1/model.safetensors",
    "probe@1/model.safetensors",
    "judge-statistics@1.safetensors",
]


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return select_protocol(load_suite("sketchworld-edges-v1"))


def test_the_judges_that_ship_are_loaded_and_recorded_by_their_files(protocol: Protocol) -> None:
    judges = load_judges(protocol)
    assert isinstance(judges.scorer, ClipScorer)
    assert list(judges.weights) == EMBEDDED
    assert judges.weights == {name: sha256_file(ASSETS / name) for name in EMBEDDED}
    pictures = torch.zeros(2, 3, 64, 64)
    assert judges.segmenter(pictures).shape == (2, 64, 64)
    assert len(judges.classify(pictures)) == 2
    assert judges.matching.pictures(pictures).shape == judges.matching.sketches(pictures[:, 0] > 0).shape


def test_a_registered_judge_may_be_named(
    protocol: Protocol, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JUDGES, "_entries", dict(JUDGES._entries))
    (tmp_path / "weights.bin").write_bytes(b"weights")
    devices: list[str] = []

    def name_birds(images: torch.Tensor) -> list[str]:
        return ["bird"] * len(images)

    @JUDGES.register("birds")
    def load_birds(device: str) -> LoadedJudge:
        devices.append(device)
        return LoadedJudge(name_birds, (tmp_path / "weights.bin",))

    judges = load_judges(protocol.model_copy(update={"classifier": "birds"}), "cpu")
    assert judges.classify(torch.zeros(1, 3, 8, 8)) == ["bird"]
    assert devices == ["cpu"]
    assert list(judges.weights) == [*EMBEDDED[:3], "birds/weights.bin", EMBEDDED[4]]
    assert judges.weights["birds/weights.bin"] == sha256_bytes(b"weights")


def test_a_misspelt_judge_is_one_line(protocol: Protocol) -> None:
    with pytest.raises(LepbenchError, match="unknown judge 'segmentr@1'; did you mean 'segmenter@1'"):
        load_judges(protocol.model_copy(update={"segmenter": "segmentr@1"}))
