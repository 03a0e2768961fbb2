"""Known maps made worse step by step: the figures follow, except where docs/metrics.md says they cannot."""

from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchmark_script import load_script

SCENES, SIZE = 4, 64
FORMS = ("", "one_to_one_")
ROUNDING = 1e-12

F1 = {f"{form}f1_{t}px" for form in FORMS for t in range(4)}
RECALL = {f"recall_{t}px" for t in range(4)} | {"stroke_recall_1px", "strokes_found_1px"}
PRECISION = {f"precision_{t}px" for t in range(4)}
CHAMFER = {"chamfer_px", "chamfer_share"}
SOFT = {"soft_iou", "ms_ssim"}

# What cannot see a degradation: recall does not ask for what is too much, precision not for what lacks, and
# one to one every pixel of the smaller map is paired where the larger holds it.
BLIND = {
    "displacement": set(),
    "dilation": RECALL | {f"one_to_one_{name}" for name in RECALL if name.startswith("recall")},
    "dropout": PRECISION | {f"one_to_one_{name}" for name in PRECISION},
    "noise": RECALL | {f"one_to_one_{name}" for name in RECALL if name.startswith("recall")},
}


@pytest.fixture(scope="module")
def sanity() -> ModuleType:
    """The benchmark, which is a script and no part of the package."""
    return load_script("sanity")


@pytest.fixture(scope="module")
def table(sanity: ModuleType) -> pd.DataFrame:
    return sanity.table(SCENES, SIZE)


@pytest.fixture(scope="module")
def known(sanity: ModuleType) -> Any:
    return sanity.known_maps(SCENES, SIZE)


def course(table: pd.DataFrame, degradation: str, figure: str) -> np.ndarray:
    """A figure at rising strengths."""
    return table.loc[table["degradation"] == degradation, figure].to_numpy()


@pytest.mark.parametrize("degradation", BLIND)
def test_nothing_is_lost_without_degradation(table: pd.DataFrame, degradation: str) -> None:
    start = table[(table["degradation"] == degradation) & (table["strength"] == 0)].iloc[0]
    assert all(start[figure] == pytest.approx(1, abs=1e-9) for figure in F1 | RECALL | PRECISION | SOFT)
    assert all(start[figure] == 0 for figure in CHAMFER)


@pytest.mark.parametrize("degradation", BLIND)
def test_figures_get_worse_with_every_step_or_are_blind(table: pd.DataFrame, degradation: str) -> None:
    for figure in F1 | RECALL | PRECISION | SOFT | CHAMFER:
        values = course(table, degradation, figure)
        if figure in BLIND[degradation]:
            assert np.allclose(values, 1, rtol=0, atol=ROUNDING), figure
            continue
        steps = np.diff(values) if figure in CHAMFER else -np.diff(values)
        assert (steps >= -ROUNDING).all(), figure
        assert abs(values[-1] - values[0]) > 0.01, figure


def test_a_tolerance_hides_what_lies_within_it(table: pd.DataFrame) -> None:
    for degradation in ("displacement", "dilation"):
        for tolerance in range(4):
            values = course(table, degradation, f"f1_{tolerance}px")
            assert (values[: tolerance + 1] == 1).all()
            assert values[tolerance + 1] < 1
    assert course(table, "dilation", "one_to_one_f1_3px")[1] < 0.6


def test_one_to_one_counts_size_alone_where_one_map_holds_the_other(sanity: ModuleType, known: Any) -> None:
    size = known.edges.sum(axis=(1, 2))
    for degrade, strength in ((sanity.dilated, 2), (sanity.dropped, 0.6), (sanity.noisy, 0.05)):
        degraded = degrade(known.edges, strength)
        other = degraded.sum(axis=(1, 2))
        found = sanity.figures(degraded, known)
        for tolerance in range(4):
            expected = 2 * np.minimum(size, other) / (size + other)
            assert np.allclose(found[f"one_to_one_f1_{tolerance}px"], expected)


def test_exchanging_the_maps_exchanges_precision_and_recall_and_nothing_else(
    sanity: ModuleType, known: Any
) -> None:
    for degrade, strength in ((sanity.displaced, 3), (sanity.dilated, 2), (sanity.noisy, 0.02)):
        degraded = degrade(known.edges, strength)
        there = sanity.figures(degraded, known)
        back = sanity.figures(known.edges, known._replace(edges=degraded))
        for figure in F1 | CHAMFER | SOFT:
            assert np.allclose(there[figure], back[figure], rtol=0, atol=ROUNDING), figure
        for figure in PRECISION:
            assert np.array_equal(there[figure], back[figure.replace("precision", "recall")])


def test_a_stronger_degradation_contains_a_weaker_one(sanity: ModuleType, known: Any) -> None:
    for degrade in (sanity.dilated, sanity.noisy):
        assert not (degrade(known.edges, 0.1) & ~degrade(known.edges, 0.2)).any()
    assert not (sanity.dropped(known.edges, 0.7) & ~sanity.dropped(known.edges, 0.3)).any()
    alone = [sanity.noisy(known.edges[:count], 0.1) for count in (1, SCENES)]
    assert np.array_equal(alone[0][0], alone[1][0])


def test_every_pixel_belongs_to_a_stroke(known: Any) -> None:
    assert np.array_equal(known.strokes > 0, known.edges)
    assert known.strokes.max(axis=(1, 2)).tolist() == [3, 4, 1, 5]


def test_maps_move_right_down_left_and_up(sanity: ModuleType) -> None:
    one = np.zeros((9, 11), bool)
    one[4, 5] = one[5, 7] = True
    moved = sanity.displaced(np.stack([one] * 5), 2)
    steps = [(0, 2), (2, 0), (0, -2), (-2, 0), (0, 2)]
    assert np.array_equal(moved, [np.roll(one, step, axis=(0, 1)) for step in steps])
    assert not sanity.displaced(one[None], 6).any()


def test_a_map_that_deserves_nothing_lies_far_from_the_right_one(table: pd.DataFrame) -> None:
    blank, other = (table[table["degradation"] == name].iloc[0] for name in ("blank", "another scene"))
    assert all(blank[figure] == 0 for figure in F1 | RECALL | {"soft_iou"})
    assert blank["chamfer_share"] == 1
    assert 0 < other["f1_1px"] < 0.3
    assert blank["ms_ssim"] > other["ms_ssim"] > 0  # the one figure that a blank map can win
