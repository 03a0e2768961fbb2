"""Reference rows: the overlay stands out, units are fixed, and keys move with what they depend on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lepbench.evaluation.conditions import REAL, VAE, Condition, hash_condition, overlay_sketch
from lepbench.evaluation.sample import make_batches
from lepbench.suites import Suite


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(arrays(np.uint8, (6, 5, 3)), arrays(np.bool_, (6, 5)))
def test_an_overlay_changes_the_strokes_alone_and_stands_out(picture: np.ndarray, sketch: np.ndarray) -> None:
    before = picture.copy()
    drawn = overlay_sketch(picture, sketch)
    assert np.array_equal(picture, before)
    assert np.array_equal(drawn[~sketch], picture[~sketch])
    if sketch.any():
        weights = np.array([0.299, 0.587, 0.114])
        beneath, stroke = (p[sketch].astype(float) @ weights for p in (picture, drawn))
        assert len(np.unique(drawn[sketch])) == 1
        assert abs(stroke.mean() - beneath.mean()) >= 127


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 12), st.integers(1, 3), st.integers(1, 20))
def test_units_hold_every_sample_once_and_never_mix_indices(
    tiny_suite: Suite, limit: int, per_item: int, size: int
) -> None:
    items = tiny_suite.items(limit)
    batches = make_batches(tiny_suite, items, per_item, size)
    names = [(s.index, s.item.item_id) for batch in batches for s in batch]
    assert names == [(k, item.item_id) for k in range(per_item) for item in items]
    assert all(len({s.index for s in batch}) == 1 and len(batch) <= size for batch in batches)
    assert len({s.seed for batch in batches for s in batch}) == len(names)


@pytest.mark.parametrize("change", ["row", "depends_on", "shared"])
def test_a_key_moves_with_each_thing_it_depends_on(change: str) -> None:
    def draw(samples: object) -> torch.Tensor:
        return torch.zeros(0)

    row = Condition(VAE, draw, depends_on={"backbone": "a"})
    other = {
        "row": (Condition(REAL, draw, depends_on={"backbone": "a"}), {"items": 3}),
        "depends_on": (Condition(VAE, draw, depends_on={"backbone": "b"}), {"items": 3}),
        "shared": (row, {"items": 4}),
    }[change]
    assert hash_condition(row, {"items": 3}) == hash_condition(
        Condition(VAE, draw, depends_on={"backbone": "a"}), {"items": 3}
    )
    assert hash_condition(*other) != hash_condition(row, {"items": 3})
