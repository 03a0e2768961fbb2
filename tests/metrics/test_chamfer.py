"""Chamfer distance against SciPy's exact distance transform and by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import distance_transform_edt

from lepbench.metrics.chamfer import chamfer_distance

map_pairs = st.tuples(st.integers(1, 3), st.integers(1, 24), st.integers(1, 24)).flatmap(
    lambda shape: st.tuples(*[arrays(np.bool_, shape, elements=st.sampled_from([False] * 7 + [True]))] * 2)
)


def by_transform(first: np.ndarray, second: np.ndarray) -> float:
    """The definition for two maps that are not empty."""
    return (distance_transform_edt(~second)[first].mean() + distance_transform_edt(~first)[second].mean()) / 2


@settings(max_examples=150, deadline=None)
@given(map_pairs)
def test_equal_to_a_distance_transform_and_symmetric(maps: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = maps
    found = chamfer_distance(*map(torch.from_numpy, maps))
    assert np.array_equal(found, chamfer_distance(*map(torch.from_numpy, maps[::-1])))
    for a, b, distance in zip(first, second, found, strict=True):
        if a.any() and b.any():
            assert distance == pytest.approx(by_transform(a, b), rel=1e-12)
        else:
            assert distance == (np.hypot(*a.shape) if a.any() or b.any() else 0)


@settings(max_examples=40, deadline=None)
@given(map_pairs)
def test_does_not_depend_on_the_batch(maps: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = map(torch.from_numpy, maps)
    alone = [chamfer_distance(a[None], b[None])[0] for a, b in zip(first, second, strict=True)]
    assert np.array_equal(chamfer_distance(first, second), alone)


def test_by_hand() -> None:
    first, second = torch.zeros(1, 9, 12, dtype=torch.bool), torch.zeros(1, 9, 12, dtype=torch.bool)
    first[0, 1, 1] = True
    second[0, 1, 1] = second[0, 5, 4] = True  # there: 0; back: the mean of 0 and 5
    assert chamfer_distance(first, second) == 1.25
    assert chamfer_distance(first, torch.zeros_like(first)) == 15


def test_a_large_map_is_exact() -> None:
    random = np.random.default_rng(0)
    first, second = (random.random((1, 700, 900)) < share for share in (1e-5, 1e-3))
    found = chamfer_distance(torch.from_numpy(first), torch.from_numpy(second))[0]
    assert found == pytest.approx(by_transform(first[0], second[0]), rel=1e-12)


def test_maps_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        chamfer_distance(torch.zeros(1, 4, 4, dtype=torch.bool), torch.zeros(1, 4, 5, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"expected bool \[B, H, W\]"):
        chamfer_distance(torch.zeros(1, 4, 4), torch.zeros(1, 4, 4))
