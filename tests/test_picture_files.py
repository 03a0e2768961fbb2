"""Pictures as files: what is stored is what was drawn, and a damaged file is found without decoding it."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageCms

from lepbench import images
from lepbench.errors import LepbenchError
from lepbench.images import (
    check_rgb,
    encode_picture,
    encode_png,
    list_chunks,
    open_rgb,
    read_pixels,
    to_channels,
    to_pixels,
    to_tensor,
)

PICTURE = np.random.default_rng(0).integers(0, 256, (40, 24, 3), dtype=np.uint8)
PICTURES = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)))


@given(PICTURES)
def test_an_encoded_picture_is_read_back_in_every_pixel(picture: np.ndarray) -> None:
    for encode in (encode_picture, encode_png):
        assert np.array_equal(read_pixels(encode(picture)), picture)


@given(PICTURES)
def test_pixels_go_to_tensors_and_back(picture: np.ndarray) -> None:
    channels, floats = to_channels(picture), to_tensor(picture)
    assert torch.equal(floats, channels.float().div(255))
    assert np.array_equal(to_pixels(channels), picture)
    assert np.array_equal(to_pixels(floats), picture)


def test_floats_are_rounded_and_clipped_and_left_as_they_are() -> None:
    floats = torch.tensor([-0.2, 0.0, 0.4999 / 255, 0.5001 / 255, 1.0, 7.0]).reshape(1, 3, 1, 2)
    before = floats.clone()
    assert to_pixels(floats).ravel().tolist() == [0, 0, 255, 0, 1, 255]
    assert torch.equal(floats, before)


def test_a_picture_takes_no_more_room_than_at_the_level_of_suites() -> None:
    smooth = np.linspace(0, 255, 128 * 128 * 3).reshape(128, 128, 3)
    grain = np.random.default_rng(1).normal(0, 3, smooth.shape)
    picture = (smooth + grain).clip(0, 255).astype(np.uint8)
    assert len(encode_picture(picture)) < 1.02 * len(encode_png(picture))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were decoded."""
    seen: list[Path] = []

    def watched(path: Path) -> Image.Image:
        seen.append(path)
        return open_rgb(path)

    monkeypatch.setattr(images, "open_rgb", watched)
    return seen


@pytest.mark.parametrize("mode", ["1", "I;16", "L", "LA", "P", "RGB", "RGBA"])
def test_a_png_of_any_mode_is_not_decoded(mode: str, tmp_path: Path, decoded: list[Path]) -> None:
    path = tmp_path / "a.png"
    image = Image.fromarray(PICTURE)
    (Image.new(mode, image.size, 40000) if mode == "I;16" else image.convert(mode)).save(path)
    assert check_rgb(path) == open_rgb(path).size == (24, 40)
    assert decoded == []


@pytest.mark.parametrize("kind", ["jpeg", "profile", "turned", "webp", "animated"])
def test_any_other_file_is_decoded(kind: str, tmp_path: Path, decoded: list[Path]) -> None:
    image, exif = Image.fromarray(PICTURE), Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / ("a" + {"jpeg": ".jpg", "webp": ".webp"}.get(kind, ".png"))
    options: dict[str, dict[str, Any]] = {
        "profile": {"icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()},
        "turned": {"exif": exif},
        "animated": {"save_all": True, "append_images": [Image.new("RGB", image.size)]},
    }
    image.save(path, **options.get(kind, {}))
    assert check_rgb(path) == open_rgb(path).size == ((40, 24) if kind == "turned" else (24, 40))
    assert decoded == [path]


@given(st.data())
def test_a_byte_that_changed_is_found(data: st.DataObject) -> None:
    png = bytearray(encode_picture(PICTURE))
    place = data.draw(st.integers(len(images.PNG_SIGNATURE), len(png) - 1))
    png[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match=r"checksum|cut off"):
        list_chunks(bytes(png))


@given(st.integers(0, len(encode_picture(PICTURE)) - 1))
def test_a_png_that_is_cut_off_is_found(kept: int) -> None:
    with pytest.raises(ValueError, match="cut off"):
        list_chunks(encode_picture(PICTURE)[:kept])


@pytest.mark.parametrize("fault", ["changed", "cut", "empty", "folder", "missing", "no pixels", "text"])
def test_what_cannot_be_read_is_named(fault: str, tmp_path: Path) -> None:
    path, png = tmp_path / "a.png", encode_picture(PICTURE)
    contents = {
        "changed": png[:90] + bytes([png[90] ^ 1]) + png[91:],
        "cut": png[:-40],
        "empty": b"",
        "no pixels": without_pixels(png),
        "text": b"no picture",
    }
    if fault == "folder":
        path.mkdir()
    elif fault != "missing":
        path.write_bytes(contents[fault])
    with pytest.raises(LepbenchError, match=r"a\.png"):
        check_rgb(path)


def without_pixels(png: bytes) -> bytes:
    """A PNG of the same header, whole by its checksums, that holds no pixel."""
    end = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))
    return png[: len(images.PNG_SIGNATURE) + 25] + end
