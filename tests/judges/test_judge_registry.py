"""Judges are described by a protocol, loaded by their kind, and recorded by the files behind them."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import pytest
import torch

from lepbench.embedded import ASSETS
from lepbench.errors import LepbenchError
from lepbench.evaluation.judges import load_judges
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.files import sha256_bytes, sha256_file
from lepbench.judges import JUDGES, Ability, ClipScorer, JudgeConfig, LoadedJudge, select_judge
from lepbench.suites import load_suite

EMBEDDED = {
    "sketchworld-clip/model.safetensors": "judge@1/model.safetensors",
    "sketchworld-segmenter/model.safetensors": "segmenter@1/model.safetensors",
    "sketchworld-matcher/model.safetensors": "matcher@1/model.safetensors",
    "sketchworld-classifier/model.safetensors": "probe@1/model.safetensors",
    "judge-statistics@1.safetensors": "judge-statistics@1.safetensors",
}


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return select_protocol(load_suite("sketchworld-edges-v1"))


def test_the_judges_that_ship_are_loaded_and_recorded_by_their_files(protocol: Protocol) -> None:
    judges = load_judges(protocol)
    assert judges.weights == {name: sha256_file(ASSETS / file) for name, file in EMBEDDED.items()}
    pictures = torch.zeros(2, 3, 64, 64)
    assert isinstance(judges["sketchworld-clip"].captions, ClipScorer)
    masks, classes = judges["sketchworld-segmenter"].masks, judges["sketchworld-classifier"].classes
    matching = judges["sketchworld-matcher"].sketches
    assert masks is not None
    assert classes is not None
    assert matching is not None
    assert masks(pictures).shape == (2, 64, 64)
    assert len(classes(pictures, ())) == 2
    assert matching.pictures(pictures).shape == matching.sketches(pictures[:, 0] > 0).shape


def name_birds(images: torch.Tensor, classes: object) -> list[str]:
    return ["bird"] * len(images)


def test_a_registered_judge_may_be_named(
    protocol: Protocol, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JUDGES, "_entries", dict(JUDGES._entries))
    (tmp_path / "weights.bin").write_bytes(b"weights")
    devices: list[str] = []

    @JUDGES.register("birds")
    class Birds(JudgeConfig):
        able: ClassVar[tuple[Ability, ...]] = ("classes",)
        name: Literal["birds"] = "birds"

        def load(self, device: str) -> LoadedJudge:
            devices.append(device)
            return LoadedJudge({"weights.bin": tmp_path / "weights.bin"}, classes=name_birds)

    judges = load_judges(protocol.model_copy(update={"judges": (select_judge("birds"),)}), "cpu")
    assert judges["birds"].classes is name_birds
    assert devices == ["cpu"]
    assert judges.weights["birds/weights.bin"] == sha256_bytes(b"weights")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "sketchworld-segmentr",
            "unknown judge 'sketchworld-segmentr'; did you mean 'sketchworld-segmenter'",
        ),
        (
            {"name": "clip", "model": "x", "revison": "y"},
            "judge 'clip': unknown key 'revison'; did you mean 'revision'",
        ),
        (
            {"name": "dinov2", "model": "x", "use": ["captions"]},
            "judge 'dinov2': 'use' names 'captions', which",
        ),
        ({"name": "clip", "model": "x", "label": "B 16"}, "label"),
    ],
)
def test_a_judge_that_cannot_be_is_one_line(given: object, message: str) -> None:
    with pytest.raises(LepbenchError, match=message):
        select_judge(given)  # type: ignore[arg-type]
