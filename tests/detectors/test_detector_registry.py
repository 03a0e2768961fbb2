"""Detectors by name: defaults, settings, identity, and one clear line for a mistake."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lepbench.config import Config, dump_config, load_config
from lepbench.detectors import (
    DETECTORS,
    AnyDetector,
    Canny,
    Cv2Canny,
    Detector,
    NetworkDetector,
    Sobel,
    SoftDetector,
    identify_detector,
    select_detector,
)
from lepbench.errors import LepbenchError
from lepbench.images import to_tensor


class Recipe(Config):
    detector: AnyDetector = Canny()


def test_every_registered_detector_is_known_by_its_name_and_maps_pictures() -> None:
    images = torch.rand(2, 3, 24, 31, generator=torch.Generator().manual_seed(0))
    for name in DETECTORS:
        detector = select_detector(name)
        assert detector.name == name
        assert type(detector) is DETECTORS.get(name)
        assert detector.version
        assert detector.binary is not isinstance(detector, SoftDetector)
        if isinstance(detector, NetworkDetector):
            continue  # needs weights; its own tests have random ones
        edges = detector(images)
        assert edges.dtype == torch.bool
        assert edges.shape == (2, 24, 31)


@pytest.mark.parametrize("size", [9, 64, 300, 600])
def test_maps_of_pixels_are_those_of_their_tensor(size: int) -> None:
    pixels = np.random.default_rng(size).integers(0, 256, (5, size, 20, 3), dtype=np.uint8)
    for name in ("canny", "cv2-canny", "sobel", "xdog"):
        detector = select_detector(name)
        found = detector.of_pixels(pixels)
        assert found.any()
        assert np.array_equal(found, detector(to_tensor(pixels)).numpy())
        assert detector.of_pixels(pixels[:0]).shape == (0, size, 20)


def test_pixels_are_worked_on_in_parts_that_fit_the_cache() -> None:
    class Counting(Canny):
        def __call__(self, images: torch.Tensor) -> torch.Tensor:
            parts.append(len(images))
            return super().__call__(images)

    for (count, size), expected in {(70, 64): [64, 6], (3, 512): [1, 1, 1], (2, 700): [1, 1]}.items():
        parts: list[int] = []
        Counting().of_pixels(np.zeros((count, size, size, 3), dtype=np.uint8))
        assert parts == expected


def test_identity_tells_settings_apart() -> None:
    assert identify_detector(Canny()) == "canny@1(low=0.1,high=0.2)"
    assert identify_detector(Canny(high=0.5)) == "canny@1(low=0.1,high=0.5)"
    assert identify_detector(Cv2Canny()) == "cv2-canny@1(low=100.0,high=200.0,aperture=3,l2=False)"
    assert identify_detector(Sobel()) == "sobel@1(threshold=0.15,sigma=0.7,thin=True)"


def test_identity_is_one_however_the_numbers_are_written() -> None:
    for name in ("canny", "cv2-canny", "sobel", "xdog"):
        settings = select_detector(name).settings()
        short = {k: int(v) if isinstance(v, float) and v == int(v) else v for k, v in settings.items()}
        assert identify_detector(select_detector({"name": name, **short})) == identify_detector(
            select_detector(name)
        )


def test_from_a_mapping_or_a_detector() -> None:
    assert select_detector({"name": "canny", "high": 0.5}) == Canny(high=0.5)
    assert select_detector(Sobel()) == Sobel()


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ("cany", "unknown detector 'cany'; did you mean 'canny'?"),
        ({"name": "canny", "hihg": 0.5}, "unknown key 'hihg'; did you mean 'high'?"),
        ({"name": "canny", "low": -1}, "low must be more than 0, not -1"),
        (
            {"high": 0.5},
            "has no key 'name', which says what detector it is; choose one of: canny",
        ),
    ],
)
def test_mistakes_are_one_line(config: Any, line: str) -> None:
    with pytest.raises(LepbenchError) as caught:
        select_detector(config)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_field_of_a_configuration_takes_any_detector_and_round_trips(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    for detector in (Canny(low=0.05), Sobel(thin=False)):
        path.write_text(dump_config(Recipe(detector=detector)))
        assert load_config(path, Recipe).detector == detector
    path.write_text("detector: sobel")
    assert load_config(path, Recipe).detector == Sobel()
    path.write_text("detector: {name: sobel, sgima: 1}")
    with pytest.raises(LepbenchError, match="did you mean 'sigma'"):
        load_config(path, Recipe)


def test_a_stranger_adds_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DETECTORS, "_entries", dict(DETECTORS._entries))

    @DETECTORS.register("bright")
    class Bright(Detector):
        version = "3"
        name: str = "bright"
        level: float = 0.5

        def __call__(self, images: torch.Tensor) -> torch.Tensor:
            return images.mean(1) > self.level

    found = select_detector({"name": "bright", "level": 0.9})
    assert identify_detector(found) == "bright@3(level=0.9)"
    assert found(torch.ones(1, 3, 4, 4)).all()
