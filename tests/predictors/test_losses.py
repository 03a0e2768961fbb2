from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from lepbench.predictors.losses import LOSSES, balanced, mse


def test_strokes_and_ground_weigh_the_same_however_rare() -> None:
    target = torch.zeros(2, 3, 4, 4)
    strokes = torch.zeros(2, 4, 4, dtype=torch.bool)
    strokes[0, 1, 2] = True  # one of thirty-two
    predicted = torch.zeros_like(target)
    predicted[0, :, 1, 2] = 2.0
    assert balanced(predicted, target, strokes) == pytest.approx(4 / 2)
    assert mse(predicted, target, strokes) == pytest.approx(4 / 32)
    predicted = torch.full_like(target, 3.0)
    predicted[0, :, 1, 2] = 0.0
    assert balanced(predicted, target, strokes) == pytest.approx(9 / 2)


def test_against_a_plain_loop() -> None:
    predicted, target = torch.randn(3, 4, 5, 6), torch.randn(3, 4, 5, 6)
    strokes = torch.rand(3, 5, 6) < 0.2
    sums, counts = [0.0, 0.0], [0, 0]
    for b in range(3):
        for y in range(5):
            for x in range(6):
                side = int(strokes[b, y, x])
                for c in range(4):
                    sums[side] += float(predicted[b, c, y, x] - target[b, c, y, x]) ** 2
                    counts[side] += 1
    expected = 0.5 * (sums[0] / counts[0] + sums[1] / counts[1])
    assert float(balanced(predicted, target, strokes)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("where", [torch.zeros, torch.ones])
def test_one_class_alone_is_the_plain_mean(where: Callable[..., torch.Tensor]) -> None:
    predicted, target = torch.randn(2, 4, 4, 4), torch.randn(2, 4, 4, 4)
    strokes = where(2, 4, 4).bool()
    assert torch.allclose(balanced(predicted, target, strokes), mse(predicted, target, strokes))


def test_every_loss_is_differentiable_and_least_at_the_target() -> None:
    target, strokes = torch.randn(2, 4, 4, 4), torch.rand(2, 4, 4) < 0.3
    for loss in LOSSES.values():
        predicted = (target + 1).requires_grad_()
        loss(predicted, target, strokes).backward()
        assert predicted.grad is not None
        assert torch.all(predicted.grad > 0)
        assert loss(target, target, strokes) == 0
