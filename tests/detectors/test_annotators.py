"""HED, PiDiNet and line art with random weights against the wrappers of their networks' own package."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lepbench.detectors import Hed, Lineart, NetworkDetector, Pidinet
from lepbench.detectors.annotators import PACKAGE, load_annotator
from lepbench.errors import LepbenchError
from lepbench.images import to_tensor

pytestmark = pytest.mark.skipif(find_spec(PACKAGE) is None, reason="needs lepbench[annotators]")
SIZE = 64
Wrapper = Callable[[torch.nn.Module], Callable[..., np.ndarray]]


class Case(NamedTuple):
    detector: type[Hed | Pidinet | Lineart]
    wrapper: Wrapper
    last: str
    """The module whose random weights are enlarged, so that strengths spread over the range."""
    settings: dict[str, str] = {}  # noqa: RUF012 - nobody changes it


CASES = {
    "hed": Case(Hed, lambda network: load_annotator("hed", "HEDdetector")(network), ""),
    "pidinet": Case(
        Pidinet,
        lambda network: load_annotator("pidi", "PidiNetDetector")(network),
        "classifier",
        {"as": "controlnet"},
    ),
    "lineart": Case(
        Lineart, lambda network: load_annotator("lineart", "LineartDetector")(network, network), ""
    ),
}


@pytest.fixture(params=CASES, scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture(scope="module")
def network(case: Case) -> torch.nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = case.detector.build().eval()
        if case.last:
            network.get_parameter(f"{case.last}.weight").data.mul_(200)
    return network


@pytest.fixture(scope="module")
def detector(
    case: Case, network: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory
) -> NetworkDetector:
    path: Path = tmp_path_factory.mktemp("annotators") / "weights.safetensors"
    save_file(network.state_dict(), path)
    return case.detector.model_validate({"weights": path, **case.settings})


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8)
    return np.stack([cv2.blur(picture, (3, 3)) for picture in noise])


def test_equals_its_own_wrapper(
    case: Case, network: torch.nn.Module, detector: NetworkDetector, pixels: np.ndarray
) -> None:
    wrapper = case.wrapper(network)
    strength = detector.soft(to_tensor(pixels)).numpy()
    for picture, found in zip(pixels, strength, strict=True):
        expected = wrapper(picture, detect_resolution=SIZE, image_resolution=SIZE, output_type="np")[..., 0]
        assert expected.std() > 1
        # The wrapper rounds down to 8 bits, or up where it inverts.
        assert np.abs(255 * found - expected).max() < 1.01


def test_a_batch_changes_no_bit_and_any_size_passes(detector: NetworkDetector, pixels: np.ndarray) -> None:
    images = to_tensor(pixels)[..., :37, :50]
    together = detector.soft(images)
    assert together.shape == (2, 37, 50)
    assert together.min() >= 0
    assert together.max() <= 1
    assert torch.equal(together, torch.cat([detector.soft(image[None]) for image in images]))
    assert detector.soft(images[..., :1, :1]).shape == (2, 1, 1)


@pytest.mark.parametrize("size", [(64, 64), (37, 50), (60, 52)])
def test_pidinet_and_lineart_read_pictures_at_their_own_size(
    case: Case, network: torch.nn.Module, detector: NetworkDetector, pixels: np.ndarray, size: tuple[int, int]
) -> None:
    if case.detector is Hed:
        pytest.skip("its scales line up at multiples of 16 alone, to which the border is continued")
    images = to_tensor(pixels)[:1, :, : size[0], : size[1]]
    with torch.no_grad():
        by_hand = network(images.flip(1))[-1] if case.detector is Pidinet else 1 - network(images)
    assert torch.allclose(detector.soft(images), by_hand[:, 0, : size[0], : size[1]], atol=1e-5)


def test_what_the_package_lacks_is_one_line() -> None:
    with pytest.raises(LepbenchError, match=r"controlnet_aux has no hed\.Nothing"):
        load_annotator("hed", "Nothing")
    with pytest.raises(LepbenchError, match=r"controlnet_aux has no nothing\.Hed"):
        load_annotator("nothing", "Hed")


@pytest.mark.slow
def test_only_what_is_needed_is_imported() -> None:
    code = (
        "import sys; from lepbench.detectors import Hed, Lineart, Pidinet; "
        "[kind.build() for kind in (Hed, Lineart, Pidinet)]; "
        "print([name for name in ('controlnet_aux', 'timm', 'mediapipe') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr
