"""An audit draws a board's models on fresh items, and tells a difference from chance."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from command import call_command
from tiny_evaluation import ITEMS

from lepbench.config import dump_config
from lepbench.detectors import Canny, Sobel
from lepbench.evaluation.record import read_record
from lepbench.evaluation.run import evaluate
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.metrics.statistics import Interval, bootstrap
from lepbench.publishing.leaderboard import add_record
from lepbench.run_sets import audit
from lepbench.run_sets.audit import AuditedFigure, subtract_independent
from lepbench.suite_sources.sketchworld import RECIPES, SuiteRecipe
from lepbench.suites import Suite
from lepbench.suites.suite import FOLDERS

BOARD = "tiny-suite/lepbench-edges-v1"


@pytest.fixture
def boards(
    tmp_path: Path,
    tiny_model: ModelConfig,
    tiny_suite: Suite,
    tiny_judges: Judges,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The working folder, with a board of one model, its YAML file, a secret, and a suite with a recipe."""
    monkeypatch.chdir(tmp_path)
    recipe = SuiteRecipe(
        name="tiny-suite", description="", detector=Canny(low=0.3, high=0.6), contour_detector=Sobel()
    )
    monkeypatch.setitem(RECIPES._entries, "tiny-suite", recipe)
    monkeypatch.setitem(FOLDERS._entries, "tiny-suite", tiny_suite.folder)
    monkeypatch.setattr(audit, "load_judges", lambda *_: tiny_judges)
    evaluate(tiny_model, tiny_suite, Path("runs/tiny"), device="cpu", judges=tiny_judges)
    add_record(Path("runs/tiny"), Path("leaderboards"), tiny_suite)
    Path("examples").mkdir()
    Path("examples/tiny.yaml").write_text(dump_config(tiny_model))
    Path("examples/set.yaml").write_text("name: tiny\nsuites: []\n")
    Path("secret").write_bytes(b"a secret of a few bytes")
    return tmp_path


@pytest.mark.slow
def test_a_model_is_drawn_on_fresh_items_beside_the_public_ones(
    boards: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["leaderboard", "audit", BOARD, "--secret", "secret", "--items", 4, "--device", "cpu"]
    assert call_command(monkeypatch, *command, "--metrics", "edge_f1_1px,faithful_f1") == 0
    printed = capsys.readouterr()
    lines = list(csv.DictReader(io.StringIO(printed.out)))
    runs = boards / "runs" / "audit"
    public = read_record(runs / BOARD / "tiny").rows["model"]
    fresh = read_record(runs / "tiny-suite-fresh" / "lepbench-edges-v1" / "tiny")
    assert fresh.identity.items == 4
    assert fresh.identity.protocol_sha256 == read_record(boards / "runs" / "tiny").identity.protocol_sha256
    assert not {*Suite(runs / "suites" / "tiny-suite-fresh").item_ids} & {
        *Suite(FOLDERS.get("tiny-suite")).item_ids
    }
    for line, metric in zip(lines, ("edge_f1_1px", "faithful_f1"), strict=True):
        old, new = public[metric], fresh.rows["model"][metric]
        assert (line["model"], line["metric"]) == ("tiny", metric)
        assert float(line["board"]) == pytest.approx(old.value, rel=1e-5)
        for name, figure in (("public", old), ("fresh", new)):
            shown = [float(line[name + end]) for end in ("", "_low", "_high")]
            assert shown == pytest.approx([figure.value, figure.low, figure.high], rel=1e-5)
        assert old.value is not None
        assert new.value is not None
        assert float(line["difference"]) == pytest.approx(new.value - old.value, abs=1e-5)
        outside = not float(line["low"]) <= 0 <= float(line["high"])
        assert line["differs"] == ("yes" if outside else "no")
    assert "not audited: none" in printed.err

    # Again, with a folder of a run for the file: nothing is drawn.
    monkeypatch.setattr("lepbench.evaluation.run._Run.draw", None)
    assert call_command(monkeypatch, *command, runs / BOARD / "tiny", "--metrics", "edge_f1_1px") == 0
    assert list(csv.DictReader(io.StringIO(capsys.readouterr().out))) == lines[:1]


@pytest.mark.slow
def test_what_cannot_be_audited_is_one_line(
    boards: Path, tiny_model: ModelConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one_step = tiny_model.sampler.model_copy(update={"steps": 1})
    Path("other.yaml").write_text(dump_config(tiny_model.model_copy(update={"sampler": one_step})))
    Path("stranger.yaml").write_text(dump_config(tiny_model.model_copy(update={"name": "tinny"})))
    Path("leaderboards/mine").mkdir()
    Path("leaderboards/mine/x.csv").write_text("")
    for board, arguments, message in (
        (BOARD, ["stranger.yaml"], "has no model 'tinny'; did you mean 'tiny'"),
        (BOARD, ["other.yaml"], "is on leaderboards/tiny-suite/lepbench-edges-v1.csv with sampler"),
        (BOARD, ["--metrics", "edge_f1_1p"], "has no figure 'edge_f1_1p'; did you mean 'edge_f1_1px'"),
        ("mine/x", [], "no fresh items of suite 'mine' can be drawn"),
        ("mine/y", [], "has no leaderboard 'mine/y'; did you mean 'mine/x'"),
    ):
        command = ["leaderboard", "audit", board, "--secret", "secret", "--items", 2, "--device", "cpu"]
        assert call_command(monkeypatch, *command, *arguments) == 2
        assert message in capsys.readouterr().err.strip().splitlines()[-1]
    Path("secret").write_bytes(b"another secret of some bytes")
    assert call_command(monkeypatch, "leaderboard", "audit", BOARD, "--secret", "secret", "--items", 2) == 2
    assert "is of another draw (differs in secret_sha256); choose another --out" in capsys.readouterr().err


def test_a_difference_of_unrelated_items_is_not_paired() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(0.6, 0.1, ITEMS), rng.normal(0.5, 0.1, ITEMS)
    # Of one number of items and one seed, so that the resamples are of the same places.
    drawn = [bootstrap(values, seed=0, resamples=4000) for values in (first, second)]
    found = subtract_independent(*drawn).interval()
    picks = rng.integers(ITEMS, size=(2, 40_000, ITEMS))
    plain = first[picks[0]].mean(axis=1) - second[picks[1]].mean(axis=1)
    expected = (first.mean() - second.mean(), *np.quantile(plain, [0.025, 0.975]))
    assert tuple(found) == pytest.approx(expected, abs=0.004)
    same = subtract_independent(drawn[0], drawn[0]).interval()
    assert same.high - same.low == pytest.approx(
        2**0.5 * (drawn[0].interval().high - drawn[0].interval().low), rel=0.05
    )


@pytest.mark.parametrize(
    ("low", "high", "differs"), [(-0.2, -0.1, True), (-0.1, 0.1, False), (0.1, 0.2, True), (0, 0.1, False)]
)
def test_a_figure_differs_where_the_interval_excludes_zero(low: float, high: float, differs: bool) -> None:
    some = Interval(0.5, 0.4, 0.6)
    figure = AuditedFigure("a", "b", 0.5, some, some, difference=Interval((low + high) / 2, low, high))
    assert figure.differs == differs
