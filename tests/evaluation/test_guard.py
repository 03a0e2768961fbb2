"""The guard: a second judge, and what it says of pictures made for the first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from benchmark_script import BENCHMARKS, load_script
from forged_run import finished
from hypothesis import given
from hypothesis import strategies as st
from kornia.filters import gaussian_blur2d

from lepbench.evaluation.guard import GuardReport, guard_run, is_copy, make_guard_terms, weigh_figures
from lepbench.evaluation.judges import load_judges
from lepbench.evaluation.layout import locate_picture
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.record import read_record
from lepbench.evaluation.sample import make_batches
from lepbench.evaluation.summary import number_pictures, resample_conditions
from lepbench.images import open_rgb, to_pixels, to_tensor
from lepbench.judges.clip import ClipScorer
from lepbench.judges.paths import GUARD, JUDGE
from lepbench.metrics.clip import clip_skill, cosine
from lepbench.metrics.statistics import Draws, Interval
from lepbench.suites import Suite, load_suite

__all__ = ["finished"]


def test_pictures_that_climbed_the_judge_are_told_from_honest_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renders stand for honest pictures: out of focus by 1 px for unguided ones, by 0.6 for guided ones."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    climb, score_set = load_script("judge_climb"), load_script("attacks").score_set
    suite = load_suite("sketchworld-edges-v1")
    terms = make_guard_terms(select_protocol(suite))
    assert terms is not None
    batch = next(iter(make_batches(suite, suite.take(24), 1, 24)))
    items = [sample.item for sample in batch]
    real = to_tensor(np.stack([item.image for item in items if item.image is not None]))
    filled = climb.fill_by_caption(items)
    wish = climb.wish_captions(ClipScorer.load(JUDGE), [item.prompt for item in items])
    rows = {
        "real": real,
        "unguided": gaussian_blur2d(real, (7, 7), (1.0, 1.0)),
        "model": gaussian_blur2d(real, (7, 7), (0.6, 0.6)),
        "climbed": climb.climb(real, [wish], steps=12, reach=8 / 255),
        "filled": filled,
        "filled, climbed": climb.climb(filled, [wish], steps=12, reach=16 / 255),
    }
    judges, frames, features = load_judges(terms), [], {}
    for row, pictures in rows.items():
        frame = score_set(row, to_pixels(pictures), batch, judges=judges, protocol=terms)
        column = "features@sketchworld-guard"
        features[row] = {"sketchworld-guard": np.stack(frame.pop(column).to_list())}
        frames.append(frame)
    drawn = resample_conditions(number_pictures(pd.concat(frames)), features, {}, terms)
    reports = {row: weigh_figures(drawn, row, terms) for row in rows}
    assert reports["model"].failed == reports["unguided"].failed == reports["real"].failed == ()
    assert reports["climbed"].failed == ("caption",)
    assert reports["filled"].failed == ("realism",)
    assert reports["filled, climbed"].failed == ("caption", "realism")
    lost = {row: report.class_loss.value for row, report in reports.items() if report.class_loss}
    assert max(lost["model"], lost["climbed"]) < 0.1 < 0.5 < min(lost["filled"], lost["filled, climbed"])


def test_a_run_is_read_by_both_judges(finished: Path, tiny_suite: Suite) -> None:
    """Against figures of the pictures themselves, by the closed forms of metrics."""
    record = read_record(finished)
    report = guard_run(finished, record, tiny_suite)
    assert report is not None
    scorer, items = ClipScorer.load(GUARD), list(tiny_suite)[:10]
    captions = scorer.text_features([item.prompt for item in items])
    rivals = scorer.text_features([tiny_suite[tiny_suite.find_successor(i)].prompt for i in range(10)])
    real, drawn = (
        scorer.image_embedding(torch.stack([_read(finished, row, item.item_id) for item in items]))
        for row in ("real", "model")
    )
    by_guard = clip_skill(cosine(drawn, captions), cosine(real, rivals), cosine(real, captions))
    stated = record.rows["model"]["clip_skill@sketchworld-clip"].value
    assert report.skill_gap is not None
    assert stated is not None
    assert report.skill_gap.value == pytest.approx(stated - by_guard, abs=1e-4)
    # The model of this run is unguided.
    assert report.skill_gain == pytest.approx((0, 0, 0), abs=1e-6)
    assert report.kid_loss == pytest.approx((0, 0, 0), abs=1e-6)
    assert report.class_loss == pytest.approx((0, 0, 0), abs=1e-6)
    assert report.copied == 0


def _read(folder: Path, row: str, item_id: str) -> torch.Tensor:
    return to_tensor(np.asarray(open_rgb(locate_picture(folder, row, item_id))))


def test_differences_are_paired_and_bounds_hold_by_the_whole_interval() -> None:
    terms = make_guard_terms(select_protocol(load_suite("sketchworld-edges-v1")))
    assert terms is not None
    spread = np.linspace(-1, 1, 101)
    drawn = {
        "model": {
            "clip_skill@sketchworld-clip": Draws(1.0, 1.0 + spread),
            "clip_skill@sketchworld-guard": Draws(0.9, 0.9 + spread),
            "kid@sketchworld-guard": Draws(1.0, 1.0 + spread),
            "class_accuracy@sketchworld-classifier": Draws(0.3, 0.3 + spread / 10),
        },
        "unguided": {
            "clip_skill@sketchworld-clip": Draws(0.98, 0.98 + spread),
            "kid@sketchworld-guard": Draws(0.2, np.full(101, 0.2)),
            "class_accuracy@sketchworld-classifier": Draws(0.95, np.full(101, 0.95)),
        },
    }
    report = weigh_figures(drawn, "model", terms)
    assert report.skill_gap == pytest.approx((0.1, 0.1, 0.1))
    assert report.skill_gain == pytest.approx((0.02, 0.02, 0.02))
    assert report.kid_loss == pytest.approx((0.8, -0.15, 1.75))
    assert report.class_loss == pytest.approx((0.65, 0.555, 0.745))
    assert report.failed == ("caption", "class")


def test_a_report_says_what_failed() -> None:
    honest = GuardReport(
        Interval(0.01, 0.0, 0.02), Interval(-0.02, -0.03, 0.0), Interval(0.1, 0, 0.2), copied=0.0
    )
    assert str(honest) == (
        "clip_skill +0.010 against that by the guard, -0.020 against that of unguided pictures, "
        "KID +0.10 against theirs, 0% of the pictures are copies of the true ones"
    )
    blank = GuardReport(class_loss=Interval(0.7, 0.55, 0.8))
    assert str(blank) == "class accuracy 0.70 below theirs; failed: class"
    assert GuardReport(class_loss=Interval(0.7, 0.45, 0.8)).failed == ()
    assert str(GuardReport(copied=0.5)).endswith(
        "50% of the pictures are copies of the true ones; failed: copies"
    )
    assert GuardReport(skill_gain=Interval(0.06, 0.04, 0.08)).failed == ("caption",)
    assert GuardReport(skill_gain=Interval(0.06, 0.02, 0.08)).failed == ()


@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.integers(0, 40))
def test_a_copy_is_no_farther_than_the_autoencoder_leaves(seed: int, away: int, coded: int) -> None:
    real = np.random.default_rng(seed).integers(40, 200, (8, 8, 3)).astype(np.uint8)
    copied = is_copy(real - np.uint8(away), real, real + np.uint8(coded))
    assert copied == (away <= min(max(1.05 * coded, 2.5), 8))


def test_a_protocol_of_other_judges_has_no_guard(tiny_suite: Suite) -> None:
    protocol = select_protocol(tiny_suite)
    judges = tuple(judge for judge in protocol.judges if judge.name != "sketchworld-clip")
    assert make_guard_terms(protocol.model_copy(update={"judges": judges})) is None
