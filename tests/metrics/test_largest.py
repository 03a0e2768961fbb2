"""The size of the largest pairing: that of the cheapest one, which is searched for in another way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lepbench.metrics.assignment import match_pixels
from lepbench.metrics.largest import count_largest_pairing

map_pairs = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda shape: st.tuples(*[arrays(np.bool_, shape)] * 2)
)


@settings(max_examples=200, deadline=None)
@given(map_pairs, st.sampled_from((0.0, 1.0, 1.5, 2.0, 3.0, 5.43)))
def test_it_is_the_size_of_the_cheapest_pairing(maps: tuple[np.ndarray, np.ndarray], reach: float) -> None:
    assert count_largest_pairing(*maps, reach) == match_pixels(*maps, reach)[0].sum()
    assert count_largest_pairing(*maps[::-1], reach) == count_largest_pairing(*maps, reach)


@pytest.mark.parametrize("length", [1, 2, 301])
def test_a_chain_is_paired_along_its_whole_length(length: int) -> None:
    # The pixels of the maps alternate, and each but the first has two to choose from.
    row = np.arange(2 * length) % 2 == 0
    first, second = row[None], ~row[None]
    assert count_largest_pairing(first, second, 1.0) == length
    second[0, -1] = False
    assert count_largest_pairing(first, second, 1.0) == length - 1


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_large_scattered_maps(share: float) -> None:
    random = np.random.default_rng(7)
    first, second = (random.random((96, 128)) < share for _ in range(2))
    assert count_largest_pairing(first, second, 2.0) == match_pixels(first, second, 2.0)[0].sum()


def test_empty_maps_have_no_pair() -> None:
    none, full = np.zeros((4, 5), bool), np.ones((4, 5), bool)
    assert count_largest_pairing(none, full, 2.0) == count_largest_pairing(none, none, 2.0) == 0
    assert count_largest_pairing(full, full, 0.0) == 20
