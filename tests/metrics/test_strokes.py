"""Stroke recall against a loop over strokes by the distance transform."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt

from lepbench.metrics.strokes import stroke_recall

drawings = st.tuples(st.integers(1, 3), st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda shape: st.tuples(
        arrays(np.bool_, shape, elements=st.sampled_from([False] * 5 + [True])),
        arrays(np.int32, shape, elements=st.sampled_from([0, 0, 0, 1, 2, 7, 2_000_000_000])),
    )
)


def by_loop(predicted: np.ndarray, strokes: np.ndarray, tolerance: float) -> list[float]:
    """Recall of each stroke of one sample, by SciPy's exact Euclidean distance transform."""
    far = distance_transform_edt(~predicted) if predicted.any() else np.full(predicted.shape, np.inf)
    return [float((far[strokes == k] <= tolerance).mean()) for k in np.unique(strokes[strokes > 0])]


@settings(max_examples=120, deadline=None)
@given(drawings, st.sampled_from([0.0, 1.0, 1.5, 3.0]))
def test_equal_to_a_loop_over_strokes(drawing: tuple[np.ndarray, np.ndarray], tolerance: float) -> None:
    predicted, strokes = drawing
    scores = stroke_recall(torch.from_numpy(predicted), torch.from_numpy(strokes), tolerance)
    for row, (one, labels) in enumerate(zip(predicted, strokes, strict=True)):
        shares = by_loop(one, labels, tolerance)
        if shares:
            assert scores.recall[row] == pytest.approx(np.mean(shares))
            assert scores.found[row] == pytest.approx(np.mean([share >= 0.5 for share in shares]))
        else:
            assert np.isnan([scores.recall[row], scores.found[row]]).all()


@settings(max_examples=40, deadline=None)
@given(drawings)
def test_does_not_depend_on_the_batch(drawing: tuple[np.ndarray, np.ndarray]) -> None:
    predicted, strokes = map(torch.from_numpy, drawing)
    whole = stroke_recall(predicted, strokes)
    for row in range(len(predicted)):
        alone = stroke_recall(predicted[row : row + 1], strokes[row : row + 1])
        assert all(np.array_equal(a[row], b[0], equal_nan=True) for a, b in zip(whole, alone, strict=True))


def test_a_lost_short_stroke_weighs_as_much_as_a_long_one() -> None:
    strokes = torch.zeros(1, 10, 10, dtype=torch.uint8)
    strokes[0, 1] = 1
    strokes[0, 6, :2] = 5
    scores = stroke_recall(strokes == 1, strokes)
    assert scores.recall == scores.found == 0.5


def test_what_is_no_map_of_strokes_is_refused() -> None:
    maps = torch.zeros(1, 4, 4, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"expected integer \[B, H, W\]"):
        stroke_recall(maps, maps)
    with pytest.raises(ValueError, match="differ in shape"):
        stroke_recall(maps, torch.zeros(1, 4, 5, dtype=torch.int64))
    with pytest.raises(ValueError, match="negative"):
        stroke_recall(maps, torch.full((1, 4, 4), -1))
