"""Statistics as the reference of an evaluation: of the protocol's judges alone, wherever they lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from safetensors.numpy import load_file
from tiny_clip import save_clip

import lepbench
from lepbench.errors import LepbenchError
from lepbench.evaluation.judges import load_judges
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.references import load_references, require_judge, require_same_files
from lepbench.judges import ClipJudgeConfig, SketchworldClipConfig
from lepbench.judges.paths import STATISTICS
from lepbench.metrics.kid import kid

SUITE = "sketchworld-edges-v1"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_clip(tmp_path_factory.mktemp("clip") / "model")


@pytest.fixture
def judges(clip: Path, tmp_path: Path) -> Path:
    """A YAML file of one judge."""
    path = tmp_path / "judges.yaml"
    path.write_text(yaml.safe_dump([{"name": "clip", "label": "tiny", "model": str(clip)}]))
    return path


@pytest.fixture
def made(judges: Path, tmp_path: Path) -> Path:
    lepbench.make_statistics(SUITE, judges, tmp_path / "made", limit=8, device="cpu", progress=False)
    return tmp_path / "made"


def choose(judges: Path, reference: Path) -> Protocol:
    return select_protocol(lepbench.load_suite(SUITE), judges=judges, reference=reference)


def test_they_are_the_protocol_s_reference_wherever_they_lie(
    made: Path, judges: Path, tmp_path: Path
) -> None:
    protocol = choose(judges, made)
    first = load_references(protocol)["tiny"]
    assert first.features.shape == (8, 16)
    # What is prepared of the features is kept from one run to the next.
    assert load_references(protocol)["tiny"] is first
    assert "tiny.safetensors" in load_judges(protocol).weights
    moved = made.rename(tmp_path / "elsewhere")
    assert choose(judges, moved).sha256 == protocol.sha256
    other = tmp_path / "other"
    lepbench.make_statistics(SUITE, judges, other, limit=9, device="cpu", progress=False)
    assert choose(judges, other).sha256 != protocol.sha256


def test_features_that_the_protocol_does_not_take_are_not_of_its_hash(
    made: Path, judges: Path, clip: Path
) -> None:
    protocol = choose(judges, made)
    more = ClipJudgeConfig(label="more", model=str(clip), resize="clean-fid")
    lepbench.make_statistics(SUITE, [more], made, limit=8, device="cpu", progress=False)
    assert choose(judges, made).sha256 == protocol.sha256


def test_features_of_another_judge_are_refused(made: Path, judges: Path, tmp_path: Path) -> None:
    other = save_clip(tmp_path / "other-model", seed=1)
    judges.write_text(yaml.safe_dump([{"name": "clip", "label": "tiny", "model": str(other)}]))
    protocol = choose(judges, made)
    with pytest.raises(LepbenchError, match=r"holds features of another judge than 'tiny' of the protocol"):
        load_judges(protocol)
    judges.write_text(yaml.safe_dump([{"name": "clip", "label": "new", "model": str(other)}]))
    with pytest.raises(LepbenchError, match="has no features by judge 'new'"):
        choose(judges, made)


def test_features_by_other_files_of_one_judge_are_refused(made: Path) -> None:
    path = made / "tiny.safetensors"
    with pytest.raises(LepbenchError, match="holds features by other files than those of judge 'tiny' here"):
        require_same_files({"tiny": path}, {"tiny/model.safetensors": "0" * 64})


def test_the_shipped_features_are_of_the_shipped_judge_alone(clip: Path) -> None:
    require_judge(SketchworldClipConfig(label="called-otherwise"), STATISTICS)
    with pytest.raises(
        LepbenchError, match=r"judge-statistics@1\.safetensors holds features of another judge"
    ):
        require_judge(ClipJudgeConfig(label="sketchworld-clip", model=str(clip)), STATISTICS)


def test_a_protocol_without_features_has_no_use_for_them(made: Path) -> None:
    with pytest.raises(LepbenchError, match="has no judge of features to compare with"):
        select_protocol(lepbench.load_suite(SUITE), judges="none", reference=made)


def test_judges_may_be_those_of_a_protocol(tmp_path: Path) -> None:
    made = lepbench.make_statistics(
        SUITE, "lepbench-edges-v1", tmp_path / "made", limit=4, device="cpu", progress=False
    )
    assert list(made.judges) == ["sketchworld-clip"]
    assert json.loads((tmp_path / "made" / "statistics.json").read_text())["n"] == 4
    with pytest.raises(LepbenchError, match="neither a YAML file nor a protocol that ships; did you mean"):
        lepbench.make_statistics(SUITE, "lepbench-edge-v1", tmp_path / "made", progress=False)
    with pytest.raises(
        LepbenchError, match="limit=2 is no number of pictures; give a whole number from 4 up"
    ):
        lepbench.make_statistics(SUITE, "lepbench-edges-v1", tmp_path / "made", limit=2, progress=False)


@pytest.mark.slow
def test_a_run_is_compared_with_them(
    document: dict[str, Any], made: Path, judges: Path, tmp_path: Path
) -> None:
    record = lepbench.evaluate(
        document, out=tmp_path / "run", limit=4, judges=judges, statistics=made, device="cpu", progress=False
    )
    features = load_file(tmp_path / "run" / "features" / "model@tiny.safetensors")["features"]
    real = load_file(made / "tiny.safetensors")["features"]
    assert record.rows["model"]["kid@tiny"].value == pytest.approx(kid(features, real))
    # Statistics may be of other pictures than the items', so these are at a distance, too.
    assert record.rows["real"]["kid@tiny"].value is not None
    assert record.protocol.name.startswith("edges-v1-with-judges-against-")
