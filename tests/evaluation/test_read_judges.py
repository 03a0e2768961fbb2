"""Of every shipped protocol the judges that are loaded are those that its measures read, and no others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lepbench.config import read_yaml
from lepbench.evaluation import judges as loading
from lepbench.evaluation.directions import CHAMFER, DISTANCES, DIVERSITIES, NEIGHBOURS, READINGS, WEIGHTED
from lepbench.evaluation.judges import check_judges, load_judges
from lepbench.evaluation.measures import MEASURES
from lepbench.evaluation.needs import list_possible_measures
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import FOLDER, make_shipped_protocol, select_protocol
from lepbench.judges import JudgeConfig, LoadedJudge
from lepbench.submitted import is_ours
from lepbench.suites import Suite, load_suite

CLIP, SEGMENTER = "sketchworld-clip", "sketchworld-segmenter"
MATCHER, CLASSIFIER, THINGS = "sketchworld-matcher", "sketchworld-classifier", "sketchworld-things"
STATISTICS = "judge-statistics@1.safetensors"
READ = {
    "controlnetpp-canny-v1": {"openai-b16", "inception"},
    "lepbench-abstraction-v1": {CLIP, SEGMENTER, MATCHER, CLASSIFIER},
    "lepbench-attributes-v1": {CLIP, SEGMENTER, CLASSIFIER, THINGS},
    "lepbench-completion-v1": {CLIP, SEGMENTER, MATCHER, CLASSIFIER},
    "lepbench-conflict-v1": {SEGMENTER, MATCHER, CLASSIFIER},
    "lepbench-drawings-v1": set(),
    "lepbench-drawings-v2": {"openai-b16", "dinov2-l14"},
    "lepbench-edges-v1": {CLIP, SEGMENTER, MATCHER, CLASSIFIER},
    "lepbench-emoji-edges-v1": set(),
    "lepbench-emoji-lines-v1": set(),
    "lepbench-freehand-v1": {CLIP, SEGMENTER, MATCHER, CLASSIFIER},
    "lepbench-maps-v1": {CLIP, SEGMENTER, CLASSIFIER},
    "lepbench-openmoji-v1": set(),
    "lepbench-photographs-v1": {"openai-b16", "openai-l14-336", "dinov2-l14", "inception"},
    "lepbench-prompts-v1": {CLIP, SEGMENTER, CLASSIFIER, THINGS},
    "lepbench-robust-v1": {CLIP, SEGMENTER, CLASSIFIER},
    "lepbench-strokes-v1": {CLIP, SEGMENTER, CLASSIFIER},
}


def make(name: str) -> Protocol:
    """A protocol that ships, with the measures that it takes of a suite of which nothing is known."""
    terms: Any = read_yaml(FOLDER / f"{name}.yaml")
    about = SimpleNamespace(
        size=terms.get("size", 64),
        detector="canny",
        contour_detector=None,
        levels=(),
        protocol=name,
        truths=(),
    )
    suite: Any = SimpleNamespace(name="stand-in", definition=about)
    protocol = make_shipped_protocol(suite, name)
    return protocol.model_copy(update={"measures": list_possible_measures(protocol, suite)})


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The labels of the judges that were loaded, none of which is."""
    labels: list[str] = []

    def load(judge: JudgeConfig, device: str) -> LoadedJudge:
        labels.append(judge.label)
        return LoadedJudge()

    monkeypatch.setattr(loading, "load_judge", load)
    return labels


def test_every_shipped_protocol_is_listed() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(READ)


@pytest.mark.parametrize("name", READ)
def test_the_judges_that_are_read_are_loaded(name: str, loaded: list[str]) -> None:
    load_judges(make(name))
    assert len(loaded) == len(set(loaded))
    assert set(loaded) == READ[name]


@pytest.fixture(scope="module")
def edges() -> Suite:
    return load_suite("sketchworld-edges-v1")


def test_the_files_of_what_is_read_alone_are_opened(tmp_path: Path, edges: Suite) -> None:
    path = tmp_path / "masks.yaml"
    path.write_text("name: masks-alone\nextends: lepbench-edges-v1\nmeasures: [edges, masks]\n")
    found = load_judges(select_protocol(edges, path))
    assert set(found.weights) == {f"{SEGMENTER}/model.safetensors"}
    whole = load_judges(select_protocol(edges))
    assert {name.partition("/")[0] for name in whole.weights} == READ["lepbench-edges-v1"] | {STATISTICS}


def test_a_protocol_of_edges_alone_needs_no_judge_and_no_statistics(
    tmp_path: Path, loaded: list[str], edges: Suite
) -> None:
    path = tmp_path / "edges.yaml"
    absent = "[{name: clip, model: /absent, label: gone}]"
    path.write_text(f"name: edges-alone\nmeasures: [edges]\njudges: {absent}\n")
    protocol = select_protocol(edges, path).model_copy(update={"reference": "/absent, too"})
    check_judges(protocol)
    assert load_judges(protocol).weights == {}
    assert loaded == []


def test_the_sides_of_figures_are_known_without_the_measures() -> None:
    ours = [MEASURES.get(name) for name in MEASURES if is_ours(MEASURES.get(name))]
    assert {name for kind in ours for name in kind.lower_is_better} == {CHAMFER, *DISTANCES}
    assert {name for kind in ours for name in kind.neither_is_better} == {*DIVERSITIES, *WEIGHTED, *READINGS}
    assert {name for kind in ours for name in kind.of_sets} == {*DISTANCES, *NEIGHBOURS}
