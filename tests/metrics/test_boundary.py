"""The boundary benchmark on cases worked by hand, and its summaries against a plain rendering."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lepbench.metrics.boundary import BoundaryCounts, boundary_counts, boundary_scores, f1_of, levels


def line(row: int, size: int = 40) -> np.ndarray:
    drawn = np.zeros((size, size), dtype=bool)
    drawn[row, 5:35] = True
    return drawn


def counted(soft: np.ndarray, *annotations: np.ndarray, **settings: Any) -> tuple[list[int], ...]:
    counts = boundary_counts(soft.astype(float), np.stack(annotations), levels(3), **settings)
    return tuple(column.tolist() for column in counts)


def test_a_detection_counts_once_however_many_annotations_match_it() -> None:
    assert counted(line(20), line(20), line(21), max_dist=0.02) == ([30] * 3, [30] * 3, [60] * 3, [60] * 3)


def test_precision_takes_any_annotation_and_recall_takes_each() -> None:
    both = line(10) | line(30)
    assert counted(both, line(10), line(30)) == ([60] * 3, [60] * 3, [60] * 3, [60] * 3)
    assert counted(line(10), line(10), line(30)) == ([30] * 3, [30] * 3, [30] * 3, [60] * 3)


def test_the_reach_is_a_share_of_the_diagonal() -> None:
    one_pixel = 1.0 / np.hypot(40, 40)
    assert counted(line(20), line(21), max_dist=1.001 * one_pixel)[0] == [30] * 3
    assert counted(line(20), line(21), max_dist=0.999 * one_pixel)[0] == [0] * 3


def test_thick_lines_are_thinned_before_they_are_matched() -> None:
    thick = line(19) | line(20) | line(21)
    thinned, plain = counted(thick, line(20)), counted(thick, line(20), thinned=False)
    assert plain[1] == [90] * 3
    assert 28 <= thinned[1][0] <= 32
    assert thinned[0] == thinned[1]


def test_a_pixel_is_detected_at_its_own_strength() -> None:
    soft = line(20) * 0.5
    assert counted(soft, line(20))[1] == [30, 30, 0]


def test_levels_are_spread_inside_the_unit_interval() -> None:
    assert levels(3).tolist() == [0.25, 0.5, 0.75]
    assert np.allclose(levels(), np.linspace(0.01, 0.99, 99))


def table(*rows: tuple[int, int, int, int]) -> BoundaryCounts:
    """Counts of one image, a row a threshold."""
    return BoundaryCounts(*(np.array(column)[None] for column in zip(*rows, strict=True)))


def test_scores_of_a_perfect_detector_are_one() -> None:
    scores = boundary_scores(table((10, 10, 20, 20), (10, 10, 20, 20)), levels(2))
    assert (scores.ods.f1, scores.ois.f1) == (1.0, 1.0)


def test_ods_lies_between_thresholds_where_the_line_is_best() -> None:
    # P and R cross half way: (0.5, 1) and (1, 0.5) meet at (0.75, 0.75).
    scores = boundary_scores(table((10, 20, 10, 10), (5, 5, 5, 10)), levels(2))
    assert scores.ods.f1 == pytest.approx(0.75, abs=1e-4)
    assert scores.ods.threshold == pytest.approx(0.5, abs=2e-3)


def test_average_precision_sums_the_interpolated_precision_over_the_recalls_that_occur() -> None:
    # P is 1 at recall 0.5 and 0.5 at recall 1; nothing is known below 0.5.
    scores = boundary_scores(table((10, 20, 10, 10), (5, 5, 5, 10)), levels(2))
    recalls = np.arange(50, 101) / 100
    assert scores.ap == pytest.approx((1.5 - recalls).sum() * 0.01)


def test_ois_pools_each_image_at_its_own_threshold() -> None:
    first = table((10, 10, 10, 10), (2, 10, 2, 10))
    second = table((1, 10, 1, 10), (8, 8, 8, 10))
    both = BoundaryCounts(*(np.concatenate(pair) for pair in zip(first, second, strict=True)))
    ois = boundary_scores(both, levels(2)).ois
    assert (ois.precision, ois.recall) == pytest.approx((1.0, 0.9))


def plain_ois(counts: BoundaryCounts) -> float:
    chosen = []
    for image in zip(*counts, strict=True):
        rows = list(zip(*image, strict=True))
        scored = [float(f1_of(a / max(b, 1), c / max(d, 1))) for a, b, c, d in rows]
        best = max(k for k, f1 in enumerate(scored) if f1 == max(scored))
        chosen.append(rows[best])
    a, b, c, d = np.sum(chosen, axis=0)
    return float(f1_of(a / max(b, 1), c / max(d, 1)))


@given(arrays(np.int64, (3, 5, 4), elements=st.integers(0, 50)))
def test_scores_stay_in_range_and_agree_with_a_plain_loop(drawn: np.ndarray) -> None:
    detected, annotated = drawn[..., 0] + drawn[..., 1], drawn[..., 2] + drawn[..., 3]
    counts = BoundaryCounts(drawn[..., 0], detected, drawn[..., 2], annotated)
    scores = boundary_scores(counts, levels(5))
    assert scores.ois.f1 == pytest.approx(plain_ois(counts))
    pooled = f1_of(*(counts[i].sum(0) / np.maximum(counts[i + 1].sum(0), 1) for i in (0, 2)))
    assert pooled.max() - 1e-12 <= scores.ods.f1 <= 1
    assert 0 <= scores.ap <= 1.01


def test_no_image_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        boundary_scores(BoundaryCounts(*(np.zeros((0, 3), np.int64),) * 4), levels(3))


def test_annotations_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        boundary_counts(np.zeros((4, 4)), np.zeros((1, 4, 5), bool), levels(3))
