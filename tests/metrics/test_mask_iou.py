"""Overlap of masks against its definition on sets of pixels."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lepbench.metrics.masks import mask_iou


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.0, 0.05, 0.5, 1.0]))
def test_equals_the_overlap_of_sets_of_pixels(seed: int, share: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    predicted, target = (torch.rand(3, 5, 6, generator=generator) < share for _ in range(2))
    for row, iou in enumerate(mask_iou(predicted, target)):
        first, second = (set(map(tuple, np.argwhere(m[row].numpy()))) for m in (predicted, target))
        assert iou == pytest.approx(len(first & second) / len(first | second) if first | second else 1.0)


def test_masks_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in shape"):
        mask_iou(torch.zeros(1, 4, 4, dtype=torch.bool), torch.zeros(2, 4, 4, dtype=torch.bool))
