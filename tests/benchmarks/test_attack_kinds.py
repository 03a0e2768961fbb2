"""The attacks of benchmarks/: what each changes, and that it leaves the rest as it was."""

from types import ModuleType

import pytest
import torch
from benchmark_script import load_script
from torch import Tensor

SIDE = 32


@pytest.fixture(scope="module")
def kinds() -> ModuleType:
    """The module, which lies beside scripts and not in the package."""
    return load_script("attack_kinds")


@pytest.fixture
def picture() -> Tensor:
    return torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def ring() -> Tensor:
    """A square outline: an inside, and an outside."""
    sketch = torch.zeros(1, 1, SIDE, SIDE)
    sketch[..., 8:24, 8:24] = 1
    sketch[..., 9:23, 9:23] = 0
    return sketch


def test_an_overlay_changes_the_strokes_alone(kinds: ModuleType, picture: Tensor, ring: Tensor) -> None:
    drawn = kinds.overlay(picture, ring, 1.0)
    changed = (drawn != picture).any(1, keepdim=True)
    assert torch.equal(changed, ring > 0)
    assert drawn.masked_select(ring.bool().expand_as(drawn)).unique().numel() == 1


def test_a_fill_has_the_mean_colour_of_each_region(kinds: ModuleType, picture: Tensor, ring: Tensor) -> None:
    filled = kinds.fill(picture, ring, 1.0)
    labels = torch.from_numpy(kinds.regions(ring[0]))
    assert labels.unique().tolist() == [1, 2]
    for label in (1, 2):
        inside = labels == label
        expected = picture[0][:, inside].mean(1)
        torch.testing.assert_close(filled[0][:, inside], expected[:, None].expand(-1, int(inside.sum())))
    assert torch.equal(kinds.fill(picture, ring, 0.0), picture)


def test_a_relief_keeps_detail_and_parts_the_regions(
    kinds: ModuleType, picture: Tensor, ring: Tensor
) -> None:
    middle = 0.4 + 0.2 * picture
    raised = kinds.relief(middle, ring, 0.2)
    shifts = (raised - middle)[0]
    labels = torch.from_numpy(kinds.regions(ring[0]))
    means = [shifts[:, labels == label] for label in (1, 2)]
    assert all(float(part.std()) < 1e-6 for part in means)
    assert abs(float(means[0].mean() - means[1].mean())) > 0.01


def test_a_gap_of_one_pixel_is_closed(kinds: ModuleType, ring: Tensor) -> None:
    ring[..., 8, 15] = 0
    assert int(kinds.regions(ring[0]).max()) == 2
    ring[..., 8, 12:20] = 0
    assert int(kinds.regions(ring[0]).max()) == 1


def test_submissions_hold_nothing_but_the_sketch(kinds: ModuleType, ring: Tensor) -> None:
    made = {name: make(ring) for name, make in kinds.SUBMISSIONS.items()}
    assert all(one.shape == (1, 3, SIDE, SIDE) for one in made.values())
    assert torch.equal(made["sketch, white on black"], 1 - made["sketch, black on white"])
    colours = made["colouring book"].flatten(2)[0].T.unique(dim=0)
    assert len(colours) == 2


def test_every_attack_stays_in_range(kinds: ModuleType, picture: Tensor, ring: Tensor) -> None:
    for name, (attack, strengths) in kinds.ATTACKS.items():
        for strength in strengths:
            attacked = attack(picture, ring, strength)
            assert attacked.shape == picture.shape, name
            assert -1e-6 <= float(attacked.min()) <= float(attacked.max()) <= 1 + 1e-6, name
