"""The file of published judges: it can be read, pins every byte, and agrees with the protocols that ship."""

from __future__ import annotations

import re
from pathlib import Path

from lepbench.evaluation.protocols import FOLDER, read_judges
from lepbench.judges import InceptionJudgeConfig
from lepbench.judges.weights import ModelJudgeConfig

EXAMPLE = Path(__file__).parents[2] / "examples" / "judges.yaml"
JUDGES = {judge.label: judge for judge in read_judges(EXAMPLE)}


def test_every_judge_is_pinned() -> None:
    assert len(JUDGES) == 10
    for judge in JUDGES.values():
        assert isinstance(judge, ModelJudgeConfig | InceptionJudgeConfig)
        assert re.fullmatch(r"[0-9a-f]{64}", judge.sha256 or "")
        if isinstance(judge, ModelJudgeConfig):
            assert re.fullmatch(r"[0-9a-f]{40}", judge.revision or "")
    assert len({judge.model_dump()["sha256"] for judge in JUDGES.values()}) == len(JUDGES)


def test_judges_of_one_label_have_one_pin() -> None:
    shared = 0
    for path in sorted(FOLDER.glob("*.yaml")):
        if "judges:" not in path.read_text(encoding="utf-8"):
            continue
        for judge in read_judges(path):
            if judge.label in JUDGES:
                shared += 1
                places = {"name", "label", "model", "weights", "revision", "sha256", "library"}
                pins = [one.model_dump(include=places) for one in (judge, JUDGES[judge.label])]
                assert pins[0] == pins[1], (path.stem, judge.label)
    assert shared >= 8
