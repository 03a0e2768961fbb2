"""Figures by level: means and slopes of levels, resampled by the item that the variants are of."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lepbench
from lepbench.detectors import Canny
from lepbench.errors import LepbenchError
from lepbench.evaluation import directions
from lepbench.evaluation.directions import find_direction
from lepbench.evaluation.figure_names import name_part, split_part
from lepbench.evaluation.measures import ConditionSamples
from lepbench.evaluation.measures.changes import Changes
from lepbench.evaluation.measures.curves import Curves
from lepbench.evaluation.measures.slopes import Slopes
from lepbench.evaluation.measures.spreads import Spreads
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.run import evaluate
from lepbench.evaluation.sample import OK
from lepbench.evaluation.summary import list_main_metrics
from lepbench.evaluation.verify import verify_record
from lepbench.files import sha256_file
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.metrics.statistics import bootstrap
from lepbench.suites import Suite

NAME = "stroke_recall_2px"
LEVELS = ("0.5", "1", "2")
RULES = Protocol(
    name="by-level",
    size=64,
    detector=Canny(),
    measures=("strokes", "variants", "curves", "slopes"),
    by_level=(NAME,),
    levels=LEVELS,
    resamples=500,
)
N = 12


def row_of(values: np.ndarray, rules: Protocol = RULES) -> ConditionSamples:
    """Values [items, levels] as a scored row, the levels of an item together."""
    items, levels = values.shape
    frame = pd.DataFrame(
        {
            "item_id": [f"i{i}-{level}" for i in range(items) for level in LEVELS[:levels]],
            "original": [f"i{i}" for i in range(items) for _ in range(levels)],
            "level": [level for _ in range(items) for level in LEVELS[:levels]],
            "status": OK,
            NAME: values.ravel(),
        }
    )
    return ConditionSamples(frame, frame.set_index("item_id"), rules)


def random_values() -> np.ndarray:
    return np.random.default_rng(4).random((N, len(LEVELS)))


def test_a_level_has_the_mean_and_the_interval_of_its_own_samples() -> None:
    values = random_values()
    found = Curves().draws(row_of(values))
    assert list(found) == [f"{NAME}_at_{level}" for level in LEVELS] == Curves().metrics(RULES)
    for column, draws in enumerate(found.values()):
        clusters = [f"i{i}" for i in range(N)]
        alone = bootstrap(values[:, column], clusters, seed=RULES.interval_seed, resamples=500)
        assert draws.value == pytest.approx(alone.value)
        np.testing.assert_allclose(draws.draws, alone.draws)


def test_a_slope_is_that_of_the_means_in_every_resample() -> None:
    row = row_of(random_values())
    points = Curves().draws(row)
    (slope,) = Slopes().draws(row).values()
    places = [float(level) for level in LEVELS]
    means = np.stack([draws.draws for draws in points.values()])
    np.testing.assert_allclose(slope.draws, np.polyfit(places, means, 1)[0])
    assert slope.value == pytest.approx(np.polyfit(places, [d.value for d in points.values()], 1)[0])


def test_a_difference_of_items_does_not_widen_a_slope() -> None:
    rising = np.array([0.1, 0.2, 0.4]) + np.linspace(0, 0.5, N)[:, None]
    (slope,) = Slopes().draws(row_of(rising)).values()
    assert np.ptp(slope.draws) < 1e-12
    assert slope.value == pytest.approx(0.2)


def test_variants_of_an_item_are_one_observation() -> None:
    alike = np.repeat(random_values()[:, :1], len(LEVELS), axis=1)
    repeated, once = row_of(alike), row_of(alike[:, :1])
    several, single = repeated.mean(repeated.numbers(NAME)), once.mean(once.numbers(NAME))
    np.testing.assert_allclose(several.draws, single.draws)


def test_a_change_is_the_difference_to_the_first_level_of_the_same_items() -> None:
    values = random_values()
    row = row_of(values)
    found, points = Changes().draws(row), list(Curves().draws(row).values())
    assert list(found) == [f"{NAME}_change_1", f"{NAME}_change_2"] == Changes().metrics(RULES)
    for draws, point in zip(found.values(), points[1:], strict=True):
        assert draws.value == pytest.approx(point.value - points[0].value)
        np.testing.assert_allclose(draws.draws, point.draws - points[0].draws)


def test_a_spread_is_the_deviation_within_items() -> None:
    values = random_values()
    (spread,) = Spreads().draws(row_of(values)).values()
    assert spread.value == pytest.approx(np.std(values, axis=1).mean())
    same = np.repeat(values[:, :1], len(LEVELS), axis=1)
    (none,) = Spreads().draws(row_of(same)).values()
    np.testing.assert_allclose([none.value, *none.draws], 0, atol=1e-12)
    values[0, 1] = np.nan
    (rest,) = Spreads().draws(row_of(values)).values()
    assert rest.value == pytest.approx(np.std(values[1:], axis=1).mean())
    assert find_direction(f"{NAME}_spread") == "lower"


def test_an_unknown_value_leaves_its_level_to_the_others() -> None:
    values = random_values()
    values[:4, 1] = np.nan
    found = Curves().draws(row_of(values))
    assert found[f"{NAME}_at_1"].value == pytest.approx(values[4:, 1].mean())
    values[:, 1] = np.nan
    row = row_of(values)
    assert f"{NAME}_at_1" not in Curves().draws(row)
    assert Slopes().draws(row) == {}


def test_levels_that_are_no_numbers_have_no_slope() -> None:
    words = RULES.model_copy(update={"levels": ("none", "jpeg-10")})
    assert Slopes().metrics(words) == []
    assert Curves().metrics(words) == [f"{NAME}_at_none", f"{NAME}_at_jpeg-10"]


@pytest.mark.parametrize(
    "name", ["chamfer_px", "mask_iou@judge", "edge_f1_1px_contour", "reads_sketch@judge", "weighted_lead_2px"]
)
def test_names_keep_the_judge_last_and_the_better_side(name: str) -> None:
    for part in ("slope", "at_0.5", "change_jpeg-10"):
        split = split_part(name_part(name, part))
        assert split == (name.partition("@")[0], part)
        assert find_direction(name_part(name, part)) == find_direction(name)
    assert name_part("mask_iou@judge", "slope") == "mask_iou_slope@judge"
    assert split_part(name) == (name.partition("@")[0], "")


def test_a_measure_s_own_name_says_its_better_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directions, "_lower", {*directions._lower})

    class Depth(Spreads):
        lower_is_better = ("depth_error_at_2",)

    assert find_direction("depth_error_at_2") == "lower"
    assert find_direction("depth_f1_at_2") == "higher"


def test_a_run_on_variants_has_curves_and_is_verified(
    tmp_path: Path, tiny_model: ModelConfig, tiny_judges: Judges
) -> None:
    suite = lepbench.make_suite(
        "completion", "sketchworld-freehand-v1", tmp_path / "s", items=2, progress=False, fractions=(0.5, 1)
    )
    protocol = select_protocol(suite)
    record = evaluate(tiny_model, suite, tmp_path / "run", device="cpu", judges=tiny_judges)
    figures = record.rows["model"]
    samples = record.samples().query("row == 'model'")
    for level in suite.definition.levels:
        mean = samples.query("level == @level")["mask_iou@sketchworld-segmenter"].mean()
        assert figures[f"mask_iou_at_{level}@sketchworld-segmenter"].value == pytest.approx(mean)
    # The same prompt and noise, whatever the sketch.
    pictures = record.samples().query("row == 'unguided'").groupby("original")["png_sha256"].nunique()
    assert pictures.tolist() == [1, 1]
    main = list_main_metrics(protocol)
    assert main["mask_iou_slope@sketchworld-segmenter"] == "mask IoU slope"
    assert not [name for name in main if "_at_" in name]
    verify_record(tmp_path / "run", suite)
    for name in ("original", "level"):
        with pytest.raises(LepbenchError, match="it is another variant"):
            forge_column(tmp_path / "run", tmp_path / name, name, suite)


def forge_column(run: Path, out: Path, name: str, suite: Suite) -> None:
    """Verify a copy of a run whose first two samples have each other's cell, with a record that fits."""
    shutil.copytree(run, out)
    table = pq.read_table(out / "samples.parquet")
    cells = table[name].to_pylist()
    # The first two are variants of one item, the third is of another.
    cells[1], cells[2] = cells[2], cells[1]
    place = table.schema.get_field_index(name)
    forged = table.set_column(place, table.schema.field(place), pa.array(cells))
    pq.write_table(forged, out / "samples.parquet")
    record = json.loads((out / "record.json").read_text())
    record["samples_sha256"] = sha256_file(out / "samples.parquet")
    (out / "record.json").write_text(json.dumps(record))
    verify_record(out, suite)


def test_a_figure_by_level_that_is_not_measured_is_refused(tmp_path: Path) -> None:
    suite = lepbench.make_suite(
        "completion", "sketchworld-freehand-v1", tmp_path / "s", items=1, progress=False
    )
    path = tmp_path / "mine.yaml"
    for name in ("mask_iuo", "clip_skill"):
        path.write_text(f"name: mine\nby_level: [{name}]\n")
        with pytest.raises(LepbenchError, match=f"'{name}' by level, and no measure"):
            select_protocol(suite, path)
    path.write_text("name: mine\nby_level: [mask_iou, clip_similarity, edge_f1_1px_contour]\n")
    assert len(Slopes().metrics(select_protocol(suite, path))) == 3
