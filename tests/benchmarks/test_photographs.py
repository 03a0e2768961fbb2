"""Changes of photographs whose effect benchmarks/photograph_thresholds.py takes as known."""

from types import ModuleType

import numpy as np
import pytest
from benchmark_script import load_script


@pytest.fixture(scope="module")
def photographs() -> ModuleType:
    """The module, which lies beside scripts and not in the package."""
    return load_script("photographs")


@pytest.fixture(scope="module")
def ramp() -> np.ndarray:
    """A picture whose values say where a pixel was, along x: uint8 [128, 128, 3], two values a pixel."""
    return np.repeat(np.tile(2 * np.arange(128, dtype=np.uint8), (128, 1))[..., None], 3, axis=2)


@pytest.mark.parametrize("amplitude", [1.0, 4.0])
def test_a_warp_displaces_by_its_amplitude(
    photographs: ModuleType, ramp: np.ndarray, amplitude: float
) -> None:
    moved = [
        (photographs.warp(ramp, amplitude, seed).astype(float) - ramp)[16:-16, 16:-16, 0] / 2
        for seed in range(40)
    ]
    # Half of the squared displacement lies along x.
    assert np.sqrt(np.mean(np.square(moved)) * 2) == pytest.approx(amplitude, rel=0.25)
    assert np.array_equal(photographs.warp(ramp, 0.0, 1), ramp)


def test_another_texture_leaves_a_step_where_it_was(photographs: ModuleType) -> None:
    step = np.full((128, 128, 3), 60, np.uint8)
    step[:, 64:] = 190
    noisy = photographs.add_noise(step, 0.03, 0)
    grain = np.random.default_rng(1).normal(size=(128, 128)).astype(np.float32)
    changed = photographs.retexture(noisy, grain).astype(float).mean(axis=(0, 2))
    assert int(np.abs(np.diff(changed)).argmax()) == 63
    assert not np.array_equal(photographs.retexture(noisy, grain), noisy)


def test_textures_have_nearly_one_deviation_everywhere(photographs: ModuleType) -> None:
    for grain in photographs.load_textures():
        assert grain.shape == (photographs.SIZE, photographs.SIZE)
        blocks = grain.reshape(4, 128, 4, 128).std(axis=(1, 3))
        assert blocks.min() > 0.75
        assert blocks.max() < 1.05


def test_the_packaged_photographs_are_there(photographs: ModuleType) -> None:
    sets = {name: photographs.load_set(name) for name in ("natural", "hard")}
    assert [len(pictures) for pictures in sets.values()] == [8, 8]
    assert all(p.pixels.shape == (512, 512, 3) for pictures in sets.values() for p in pictures)


def test_changes_that_do_nothing_do_nothing(photographs: ModuleType, ramp: np.ndarray) -> None:
    same = [
        photographs.change_contrast(ramp, 1.0),
        photographs.change_gamma(ramp, 1.0),
        photographs.change_brightness(ramp, 0.0),
        photographs.fade(ramp, 255 - ramp, 0.0),
        photographs.add_noise(ramp, 0.0, 0),
        photographs.coarsen(ramp, 1.0),
    ]
    assert all(np.array_equal(one, ramp) for one in same)
    assert np.array_equal(photographs.fade(ramp, 255 - ramp, 1.0), 255 - ramp)
