"""What a run is held against is given, ships, or stands in its record; a stranger's program is not run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lepbench.errors import LepbenchError
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.record import Record
from lepbench.evaluation.terms import find_protocol, find_suite, require_known_programs
from lepbench.files import sha256_bytes
from lepbench.judges import InceptionJudgeConfig
from lepbench.judges.inception import PUBLISHED
from lepbench.suites import load_suite
from lepbench.trust import trusting_code

SUITE = "sketchworld-edges-v1"


def state(protocol: Protocol, suite: str = SUITE) -> Record:
    """A record as far as it is looked at."""
    kind: Any = Record
    record: Record = kind.model_construct(protocol=protocol, identity=SimpleNamespace(suite=suite))
    return record


def judge(weights: str, sha256: str, library: str = "clean-fid") -> Protocol:
    """A protocol of its own with one Inception."""
    one = InceptionJudgeConfig.model_validate(
        {"name": "inception", "weights": weights, "sha256": sha256, "library": library}
    )
    base = select_protocol(load_suite(SUITE))
    return base.model_copy(update={"name": "mine", "judges": (one,)})


def test_a_suite_that_does_not_ship_is_asked_for() -> None:
    record = state(select_protocol(load_suite(SUITE)), "folder-4")
    with pytest.raises(LepbenchError, match="which does not ship; give its folder with --suite"):
        find_suite(record, Path("run"))
    assert find_suite(record, Path("run"), SUITE).name == SUITE


def test_a_shipped_protocol_is_taken_by_name_and_others_from_the_record() -> None:
    suite = load_suite(SUITE)
    shipped = select_protocol(suite)
    looser = shipped.model_copy(update={"headline_tolerance": 3})
    assert find_protocol(state(looser), suite) == shipped
    mine = looser.model_copy(update={"name": "mine"})
    assert find_protocol(state(mine), suite) is mine
    assert find_protocol(state(mine), suite, judges="none").name == "edges-v1-without-judges"


@pytest.mark.parametrize(
    ("weights", "sha256", "library"),
    [("x.pt", PUBLISHED, "clean-fid"), ("x.pth", "0" * 64, "torch-fidelity")],
)
def test_the_published_program_and_tensors_are_known(weights: str, sha256: str, library: str) -> None:
    protocol = judge(weights, sha256, library)
    require_known_programs(state(protocol), protocol)


def test_a_program_that_only_the_record_names_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LEPBENCH_TRUST_CODE", raising=False)
    (tmp_path / "x.pt").write_bytes(b"program")
    local = judge(str(tmp_path / "x.pt"), sha256_bytes(b"program"))
    with pytest.raises(LepbenchError, match="the record's judge 'inception' would run"):
        require_known_programs(state(local), local)
    # The same judge, given by the one who verifies.
    require_known_programs(state(judge("other.pt", "0" * 64)), local)
    with trusting_code():
        require_known_programs(state(local), local)
    require_known_programs(state(local), local)
    fetched = judge("https://example.org/x.pt", "0" * 64)
    with trusting_code(), pytest.raises(LepbenchError, match="is a program from https"):
        require_known_programs(state(fetched), fetched)
