"""Suites of drawings are evaluated with what can be known of them, and nothing else is in the tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from sketch_corpora import fscoco, quickdraw

from lepbench.evaluation.conditions import CONDITIONS
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.record import Record
from lepbench.evaluation.recount import recount_samples
from lepbench.evaluation.run import evaluate
from lepbench.evaluation.verify import verify_record
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.publishing.board_lines import sort_lines
from lepbench.publishing.leaderboard import add_record
from lepbench.publishing.sheet import write_sheet
from lepbench.publishing.tables import write_csv
from lepbench.sketches import FsCocoCorpus, QuickDraw, SketchCorpus
from lepbench.suite_sources import Drawings, write_suite
from lepbench.suites import Suite, load_suite


def suite_of(corpus: SketchCorpus, folder: Path) -> Suite:
    write_suite(Drawings(name=corpus.name, corpus=corpus, items=3, size=64), folder, name="few")
    return load_suite(folder)


@pytest.fixture(params=["quickdraw", "fscoco"])
def suite(request: pytest.FixtureRequest, tmp_path: Path) -> Suite:
    corpora = {
        "quickdraw": lambda: QuickDraw(path=quickdraw(tmp_path / "corpus")),
        "fscoco": lambda: FsCocoCorpus(path=fscoco(tmp_path / "corpus", users=3), split="all"),
    }
    return suite_of(corpora[request.param](), tmp_path / "suite")


@pytest.fixture
def terms(suite: Suite) -> Protocol:
    """The protocol without judges, which need weights."""
    return select_protocol(suite, "lepbench-drawings-v1")


@pytest.fixture
def record(
    tmp_path: Path, suite: Suite, terms: Protocol, tiny_model: ModelConfig, tiny_judges: Judges
) -> Record:
    return evaluate(tiny_model, suite, tmp_path / "out", device="cpu", judges=tiny_judges, protocol=terms)


def test_rows_of_pictures_are_there_only_with_pictures(
    tmp_path: Path, suite: Suite, terms: Protocol, record: Record, tiny_judges: Judges
) -> None:
    pictures = "picture" in suite.definition.truths
    assert list(record.rows) == [row for row in CONDITIONS if pictures or row not in ("real", "vae")]
    assert record.protocol.name == "lepbench-drawings-v1"
    for figures in record.rows.values():
        assert {name.split("_")[0] for name in figures} == {"stroke", "strokes", "edge"}
        assert all(figure.value is not None for figure in figures.values())
    recall = record.rows["overlay"]["stroke_recall_2px"].value
    assert recall is not None
    assert recall > 0.9
    samples = pd.read_parquet(tmp_path / "out" / "samples.parquet")
    assert samples["row"].unique().tolist() == list(record.rows)
    assert not samples.drop(columns="reason").isna().any(axis=None)
    assert verify_record(tmp_path / "out", suite, terms) == record
    assert recount_samples(tmp_path / "out", suite, tiny_judges, lambda *told: None) == len(samples)
    write_csv(tmp_path / "out", record)
    write_sheet(tmp_path / "out", record, "s", suite.items())


@pytest.mark.usefixtures("record")
def test_a_board_of_drawings_ranks_nobody(tmp_path: Path, suite: Suite, terms: Protocol) -> None:
    path, changed = add_record(tmp_path / "out", tmp_path / "boards", suite, protocol=terms)
    assert changed
    assert pd.read_csv(path)["model"].tolist() == ["tiny"]
    lines = [{"model": name, "edge_f1_1px": figure} for name, figure in (("b", "0.9"), ("a", "0.1"))]
    assert [line["model"] for line in sort_lines(lines, None)] == ["a", "b"]
    assert [line["model"] for line in sort_lines(lines, "edge_f1_1px")] == ["b", "a"]
