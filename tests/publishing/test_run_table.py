"""Runs in one table: a line each, references once, the best and its ties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import lepbench
from lepbench.errors import LepbenchError
from lepbench.evaluation.compare import Comparison, Difference, compare
from lepbench.evaluation.figures import Figure
from lepbench.evaluation.record import Record, read_record, write_record
from lepbench.evaluation.run import evaluate
from lepbench.judges import Judges
from lepbench.methods import ModelConfig, PrecomputedConfig
from lepbench.metrics.statistics import Interval
from lepbench.publishing.results import Line, ResultsTable, make_columns
from lepbench.publishing.run_table import mark_best, tabulate_runs
from lepbench.suites import Suite

OLD = Path(__file__).parent / "records" / "0.1.0"
METRICS = ["edge_f1_1px", "kid@a", "fid@a"]


def line(name: str, *values: float, reference: bool = False) -> Line:
    figures = {metric: Figure(value=value, n=8) for metric, value in zip(METRICS, values, strict=True)}
    return Line(name, figures, reference)


def differ(metric: str, first: str, second: str, p_value: float) -> Difference:
    return Difference(metric, first, second, Interval(0.1, 0.0, 0.2), p_value)


@pytest.fixture
def marked() -> ResultsTable:
    """Runs a and b tie in edges, c is behind; b is best in KID, where only c ties; FID is not tested."""
    lines = [
        line("a", 0.9, 3, 7),
        line("b", 0.8, 1, 7),
        line("c", 0.1, 2, 9),
        line("real", 1, 0, 0, reference=True),
    ]
    differences = [
        differ("edge_f1_1px", "a", "b", 0.05),
        differ("edge_f1_1px", "a", "c", 0.001),
        differ("edge_f1_1px", "b", "c", 0.001),
        differ("kid@a", "a", "b", 0.049),
        differ("kid@a", "a", "c", 0.5),
        differ("kid@a", "b", "c", 0.5),
    ]
    table = ResultsTable("t", make_columns(METRICS, lines[0].figures), lines)
    return mark_best(table, Comparison(8, 0, [], differences))


def test_the_best_run_is_marked_and_no_reference(marked: ResultsTable) -> None:
    assert marked.best == {("a", "edge_f1_1px"), ("b", "kid@a"), ("a", "fid@a"), ("b", "fid@a")}


def test_runs_without_a_significant_difference_from_the_best_tie(marked: ResultsTable) -> None:
    assert marked.ties == {("b", "edge_f1_1px"), ("c", "kid@a")}


def test_the_caption_says_what_is_tested(marked: ResultsTable) -> None:
    assert "Holm-corrected" in marked.marks
    assert marked.marks.endswith("not tested, having no resamples: FID a")


def test_unknown_rows_and_no_runs_are_one_line() -> None:
    with pytest.raises(LepbenchError, match="there is no row 'models'; did you mean 'model'"):
        tabulate_runs([OLD], rows=["models"])
    with pytest.raises(LepbenchError, match="a table needs a run"):
        lepbench.make_table()


def test_metrics_are_those_asked_for_in_that_order() -> None:
    table = tabulate_runs([OLD], metrics=["kid", "chamfer_px"], rows=["overlay", "model"])
    assert [column.metric for column in table.columns] == ["kid", "chamfer_px"]
    assert [one.name for one in table.lines] == ["mini-lep", "overlay"]
    assert "figures on mini@1" in table.notes
    assert "suite sketchworld-edges-v1, 2 samples: 2 items, 1 each" in table.notes
    assert "unguided is mini@1 by ddim, 4 steps, guidance 4" in table.notes


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: ModelConfig, tiny_suite: Suite, tiny_judges: Judges
) -> dict[str, Path]:
    """A run; its pictures as if from elsewhere, beside it and alone; one of other noise."""
    root = tmp_path_factory.mktemp("runs")
    folder = PrecomputedConfig(folder=root / "tiny" / "samples" / "model")
    one_step = tiny_model.sampler.model_copy(update={"steps": 1})
    beside = folder.model_copy(update={"compare_with": tiny_model.reference})
    models = {
        "tiny": tiny_model,
        "alone": ModelConfig(name="alone", method=folder),
        "beside": ModelConfig(name="beside", method=beside),
        "noisy": tiny_model.model_copy(update={"name": "noisy", "sampler": one_step}),
        "fewer": tiny_model.model_copy(update={"name": "fewer"}),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEPBENCH_CACHE", str(root / "cache"))
        for name, model in models.items():
            limit = 3 if name == "fewer" else 4
            evaluate(model, tiny_suite, root / name, limit=limit, device="cpu", judges=tiny_judges)
    return {name: root / name for name in models}


@pytest.mark.slow
def test_references_stand_once_where_they_are_the_same(runs: dict[str, Path]) -> None:
    same = tabulate_runs([runs["tiny"], runs["beside"]], metrics=["edge_f1_1px"])
    assert [one.name for one in same.lines] == ["tiny", "beside", "unguided", "real"]
    assert "tiny: figures on" in " ".join(same.notes)
    assert "beside: pictures drawn elsewhere" in same.notes
    others = tabulate_runs([runs[name] for name in ("tiny", "alone", "noisy")], metrics=["edge_f1_1px"])
    assert [one.name for one in others.lines] == [
        "tiny",
        "alone",
        "noisy",
        "unguided (tiny)",
        "unguided (noisy)",
        "real",
    ]
    alone = tabulate_runs([runs["alone"]], metrics=["edge_f1_1px"])
    assert [one.name for one in alone.lines] == ["alone", "real"]


@pytest.mark.slow
def test_marks_follow_from_the_comparison(runs: dict[str, Path]) -> None:
    folders = [runs["tiny"], runs["beside"], runs["noisy"]]
    metrics = ["edge_f1_1px", "mask_iou", "chamfer_px"]
    table = tabulate_runs(folders, metrics=metrics)
    chosen = [column.metric for column in table.columns]
    found = compare(folders, metrics=chosen)
    assert {one.metric for one in found.standings} == set(chosen)
    for standing in found.standings:
        leading = (standing.run, standing.metric) in table.best | table.ties
        assert leading == (standing.ranks is not None and standing.ranks[0] == 1)
    for metric in chosen:
        assert ((("tiny", metric) in table.best) == (("beside", metric) in table.best)) is True
    text = lepbench.make_table(*folders, metrics=metrics, format="markdown")
    assert text.count("| tiny | ") == 1
    assert "s," in text
    assert "passes a picture on cpu" in text


def with_terms(folder: Path, out: Path, **terms: Any) -> Path:
    """A copy of a run's record under other terms, hashed."""
    record = read_record(folder)
    protocol = record.protocol.model_copy(update=terms)
    identity = record.identity.model_copy(update={"protocol_sha256": protocol.sha256})
    changed = Record.model_validate(
        {**record.model_dump(), "protocol": protocol.model_dump(), "identity": identity.model_dump()}
    )
    out.mkdir()
    write_record(out, changed)
    return out


@pytest.mark.slow
def test_runs_that_do_not_compare_are_refused_by_the_term(runs: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match=r"has items 3 and .* 4: they do not compare"):
        lepbench.make_table(runs["tiny"], runs["fewer"])
    other = with_terms(runs["noisy"], tmp_path / "other", name="other", stroke_tolerance=3)
    with pytest.raises(LepbenchError, match=r"has stroke_tolerance 3 and .* 2: they do not compare"):
        lepbench.make_table(runs["tiny"], other)
    with pytest.raises(LepbenchError, match="two runs are both called 'tiny'"):
        lepbench.make_table([runs["tiny"], runs["tiny"]])
