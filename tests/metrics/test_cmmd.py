"""CMMD against its kernel written out, and its limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepbench.metrics.cmmd import cmmd


def plain(x: np.ndarray, y: np.ndarray) -> float:
    x, y = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (x, y))

    def mean(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.mean([[np.exp(-np.sum((p - q) ** 2) / 200) for q in b] for p in a]))

    return 1000 * (mean(x, x) + mean(y, y) - 2 * mean(x, y))


@given(st.integers(2, 9), st.integers(2, 9), st.integers(0, 2**32 - 1))
def test_equals_the_kernel_written_out(n: int, m: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(n, 5)), random.normal(size=(m, 5)) + 1
    assert cmmd(x, y) == pytest.approx(plain(x, y), abs=1e-8)


def test_equal_sets_are_at_no_distance() -> None:
    x = np.random.default_rng(0).normal(size=(1500, 8))
    assert cmmd(x, x) == pytest.approx(0, abs=1e-9)


def test_grows_with_the_shift() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 300, 8))
    distances = [cmmd(x + shift, y) for shift in (0, 0.5, 1, 2)]
    assert distances == sorted(distances)


def test_other_widths_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        cmmd(np.ones((3, 4)), np.ones((3, 5)))
