"""DexiNed with random weights against kornia's own edge detector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from kornia.contrib import EdgeDetectorBuilder
from safetensors.torch import save_file

from lepbench.detectors import Dexined

SIZE = 64


@pytest.fixture(scope="module")
def theirs() -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        detector = EdgeDetectorBuilder.build("dexined", pretrained=False, image_size=SIZE)
        network = detector.model[1]
        # Random weights saturate; these scales bring the strengths between 0 and 1.
        torch.nn.init.constant_(network.block_cat.conv.weight, 0.01)
    return detector.eval()


@pytest.fixture(scope="module")
def weights(theirs: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dexined") / "dexined.safetensors"
    save_file(theirs.model[1].state_dict(), path)
    return path


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


@pytest.mark.slow
def test_equals_kornias_detector(theirs: Any, weights: Path, images: torch.Tensor) -> None:
    found = Dexined(weights=weights).soft(images)
    expected = torch.cat(theirs(images))[:, 0]
    assert expected.std() > 0.01
    assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.slow
def test_the_average_is_that_of_six_scales_and_their_fusion(
    theirs: Any, weights: Path, images: torch.Tensor
) -> None:
    network = theirs.model[1]
    with torch.no_grad():
        logits = network.get_features(theirs.model[0](images))
        maps = [*logits, network.block_cat(torch.cat(logits, 1))]
    expected = torch.sigmoid(torch.stack(maps)).sum(0)[:, 0] / 7
    found = Dexined(weights=weights, output="average").soft(images)
    assert torch.allclose(found, expected, atol=1e-5)
    assert not torch.allclose(found, Dexined(weights=weights).soft(images), atol=1e-2)


def test_a_batch_changes_no_bit_and_any_size_passes(weights: Path, images: torch.Tensor) -> None:
    detector = Dexined(weights=weights)
    odd = images[..., :37, :50]
    found = detector.soft(odd)
    assert found.shape == (2, 37, 50)
    assert torch.equal(found, torch.cat([detector.soft(image[None]) for image in odd]))
