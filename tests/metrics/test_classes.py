"""Class accuracy against a plain loop over cosines."""

import numpy as np
import pytest
import torch

from lepbench.metrics.classes import class_accuracy


def test_equal_to_a_loop_over_cosines() -> None:
    random = np.random.default_rng(0)
    pictures, classes = random.normal(size=(40, 6)), random.normal(size=(5, 6)) * random.uniform(1, 9, (5, 1))
    labels = random.integers(5, size=40)

    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / np.sqrt((a @ a) * (b @ b)))

    nearest = [max(range(5), key=lambda c: cosine(picture, classes[c])) for picture in pictures]
    features = [torch.from_numpy(values) for values in (pictures, classes, labels)]
    found = class_accuracy(*features)
    assert 0 < found.sum() < 40
    assert np.array_equal(found, nearest == labels)
    rows = zip(features[0].split(3), features[2].split(3), strict=True)
    assert np.array_equal(found, np.concatenate([class_accuracy(p, features[1], k) for p, k in rows]))


def test_a_tie_is_given_to_the_class_listed_first() -> None:
    twins = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert class_accuracy(twins, twins, torch.tensor([0, 1])).tolist() == [True, False]


def test_what_does_not_fit_is_refused() -> None:
    features = torch.eye(3)
    with pytest.raises(ValueError, match="do not fit"):
        class_accuracy(features, features[:, :2], torch.arange(3))
    with pytest.raises(ValueError, match="3 integer labels"):
        class_accuracy(features, features, torch.arange(2))
    for wrong in (-1, 3):
        with pytest.raises(ValueError, match="there are 3 classes"):
            class_accuracy(features, features, torch.tensor([0, 1, wrong]))
