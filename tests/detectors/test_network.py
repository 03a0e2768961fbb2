"""Detectors with weights: which file is read, how it is named, and that a batch changes no bit."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny_network import Tiny, save_safe, save_torch, tiny_weights

from lepbench.config import dump_config, load_config
from lepbench.detectors import Dexined, identify_detector, select_detector
from lepbench.detectors.annotators import load_annotator
from lepbench.detectors.network import continue_border
from lepbench.errors import LepbenchError
from lepbench.evaluation.protocol import Protocol
from lepbench.files import sha256_file
from lepbench.images import to_tensor
from lepbench.scoring.protocols.binary import BinaryProtocol


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(5, 3, 22, 17, generator=torch.Generator().manual_seed(0))


def by_hand(images: torch.Tensor, seed: int = 0) -> torch.Tensor:
    network = Tiny.build()
    network.load_state_dict(tiny_weights(seed))
    padded = torch.nn.functional.pad(images, (0, 3, 0, 2), mode="replicate")
    with torch.no_grad():
        return torch.sigmoid(network.eval()(padded))[:, 0, :22, :17]


def test_the_network_of_the_file_grades_whole_pictures(tmp_path: Path, images: torch.Tensor) -> None:
    detector = Tiny(weights=save_safe(tmp_path / "tiny.safetensors"))
    found = detector.soft(images)
    assert torch.allclose(found, by_hand(images), atol=1e-6)
    assert torch.equal(detector(images), found > 0.5)
    assert 0 < detector(images).float().mean() < 1
    assert not found.requires_grad


def test_strides_change_no_bit(tmp_path: Path, images: torch.Tensor) -> None:
    detector = Tiny(weights=save_safe(tmp_path / "tiny.safetensors"))
    found = detector.soft(images)
    assert torch.equal(detector.soft(images.to(memory_format=torch.channels_last)), found)
    assert torch.equal(detector.soft(images.flip(-1).contiguous().flip(-1)), found)
    assert torch.equal(detector.soft(images.repeat_interleave(2, -1)[..., ::2]), found)


def test_a_batch_changes_no_bit_and_calls_draw_no_random_numbers(
    tmp_path: Path, images: torch.Tensor
) -> None:
    detector = Tiny(weights=save_safe(tmp_path / "tiny.safetensors"))
    state = torch.random.get_rng_state()
    together = detector.soft(images)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(together, torch.cat([detector.soft(image[None]) for image in images]))
    assert detector.soft(images[:0]).shape == (0, 22, 17)
    assert detector.soft(images[..., :1, :1]).shape == (5, 1, 1)
    pixels = (255 * images).byte().movedim(1, -1).numpy()
    assert np.array_equal(detector.of_pixels(pixels), detector(to_tensor(pixels)).numpy())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
def test_an_accelerator_finds_the_same_and_a_batch_changes_no_bit_there(
    tmp_path: Path, images: torch.Tensor
) -> None:
    detector = Tiny(weights=save_safe(tmp_path / "tiny.safetensors"))
    together = detector.soft(images.cuda())
    assert together.is_cuda
    assert torch.allclose(together.cpu(), detector.soft(images), atol=1e-5)
    assert torch.equal(together, torch.cat([detector.soft(image[None].cuda()) for image in images]))


def test_weights_of_torch_are_read_only_with_their_hash(tmp_path: Path, images: torch.Tensor) -> None:
    path = save_torch(tmp_path / "tiny.pth")
    with pytest.raises(LepbenchError, match="read only if their sha256 is given"):
        select_detector({"name": "dexined", "weights": str(path)})
    detector = Tiny(weights=path, sha256=sha256_file(path))
    assert torch.allclose(detector.soft(images), by_hand(images), atol=1e-6)
    with pytest.raises(LepbenchError, match=f"has SHA-256 {sha256_file(path)}, not {'0' * 64}"):
        Tiny(weights=path, sha256="0" * 64).soft(images)


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (Path("harm-done").touch, ())


@pytest.mark.parametrize("content", [pickle.dumps(Evil(), 2), b"", b"no weights", pickle.dumps({"a": 1}, 2)])
def test_a_pickle_runs_nothing_and_other_files_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: torch.Tensor, content: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "other.pth"
    path.write_bytes(content)
    with pytest.raises(LepbenchError, match=r"other\.pth holds no"):
        Tiny(weights=path, sha256=sha256_file(path)).soft(images)
    assert not Path("harm-done").exists()
    safe = path.rename(tmp_path / "other.safetensors")
    with pytest.raises(LepbenchError, match="is no safetensors file"):
        Tiny(weights=safe).soft(images)


def test_weights_of_another_network_are_one_line(tmp_path: Path, images: torch.Tensor) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"0.weight": torch.zeros(4, 3, 3, 3)}, path)
    with pytest.raises(LepbenchError, match=r"no weights of this network: Missing key.*0\.bias") as caught:
        Tiny(weights=path).soft(images)
    assert "\n" not in str(caught.value)


def test_missing_weights_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: torch.Tensor
) -> None:
    with pytest.raises(LepbenchError, match=r"cannot read the weights .*no\.safetensors"):
        Tiny(weights=tmp_path / "no.safetensors").soft(images)
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path))
    for work in (lambda: Dexined().soft(images), lambda: identify_detector(Dexined())):
        with pytest.raises(LepbenchError, match="'dexined' are not here; run 'lepbench prefetch dexined'"):
            work()


def overwrite(path: Path, seed: int) -> None:
    """Another file of the same size, later than the clock of the file system can tell apart."""
    before = path.stat().st_mtime_ns
    save_safe(path, seed)
    os.utime(path, ns=(before, before + 10**9))


def test_identity_names_the_content_and_not_the_place(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    here = Tiny(weights=save_safe(tmp_path / "tiny.safetensors"))
    there = Tiny(weights=save_safe(tmp_path / "elsewhere" / "same.safetensors"))
    digest = sha256_file(tmp_path / "tiny.safetensors")
    assert identify_detector(here) == f"dexined@1(threshold=0.5,weights=sha256:{digest})"
    assert (
        identify_detector(there)
        == identify_detector(here)
        == identify_detector(there.model_copy(update={"sha256": digest}))
    )
    overwrite(tmp_path / "tiny.safetensors", seed=1)
    assert identify_detector(here) != identify_detector(there)


def test_changed_weights_are_read_anew(tmp_path: Path, images: torch.Tensor) -> None:
    detector = Tiny(weights=save_safe(tmp_path / "tiny.safetensors"))
    detector.soft(images)
    overwrite(tmp_path / "tiny.safetensors", seed=1)
    assert torch.allclose(detector.soft(images), by_hand(images, seed=1), atol=1e-6)


def test_a_missing_package_is_one_line_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lepbench.detectors.annotators.find_spec", lambda name: None)
    with pytest.raises(LepbenchError, match=r"pip install 'lepbench\[annotators\]'"):
        load_annotator("hed", "HEDdetector")


class Binary(BinaryProtocol):
    name: str = "mine"

    def notes(self) -> str:
        return ""


def test_protocols_are_alike_wherever_the_weights_lie(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    one = Tiny(weights=save_safe(tmp_path / "tiny.safetensors"))
    other = Tiny(weights=save_safe(tmp_path / "elsewhere" / "tiny.safetensors"))
    strange = Tiny(weights=save_safe(tmp_path / "strange.safetensors", seed=1))

    def hashes(detector: Tiny) -> tuple[str, str]:
        frozen = Protocol.model_construct(
            name="p",
            measures=("edges",),
            size=8,
            soft_detector=detector,
            detector=detector,
            contour_detector=detector,
        )
        return frozen.sha256, Binary.model_construct(detector=detector).sha256

    assert hashes(one) == hashes(other)
    assert all(a != b for a, b in zip(hashes(one), hashes(strange), strict=True))


def test_a_configuration_keeps_the_place(tmp_path: Path) -> None:
    path = tmp_path / "detector.yaml"
    detector = Dexined(weights=tmp_path / "a.safetensors", output="average")
    path.write_text(dump_config(detector))
    assert load_config(path, Dexined) == detector


def test_borders_are_repeated() -> None:
    image = torch.arange(6.0).reshape(1, 1, 2, 3)
    assert continue_border(image, 4)[0, 0].tolist() == [
        [0, 1, 2, 2],
        [3, 4, 5, 5],
        [3, 4, 5, 5],
        [3, 4, 5, 5],
    ]
    assert torch.equal(continue_border(image, 1), image)
