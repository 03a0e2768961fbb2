"""Colour profiles: conversion to sRGB against closed forms, in every mode and container."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from icc_profiles import (
    ADOBE_RGB,
    DISPLAY_P3,
    SRGB,
    Primaries,
    cmyk_profile,
    convert,
    encode_srgb,
    grey_profile,
    rgb_profile,
)
from numpy.typing import NDArray
from PIL import Image, ImageCms

from lepbench.colours import CONVERTED, UNREAD, is_srgb, name_profile
from lepbench.images import open_rgb, to_rgb

P3 = rgb_profile(DISPLAY_P3)
ADOBE_GAMMA = 563 / 256
ADOBE = rgb_profile(ADOBE_RGB, ADOBE_GAMMA)


def noise(channels: int) -> NDArray[np.uint8]:
    shape = (24, 32, channels) if channels > 1 else (24, 32)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def encode(image: Image.Image, kind: str, profile: bytes | None, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **({"icc_profile": profile} if profile else {}), **options)
    return buffer.getvalue()


LOSSLESS = [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True}), ("TIFF", {"compression": "tiff_lzw"})]


@pytest.mark.parametrize(("kind", "options"), LOSSLESS)
@pytest.mark.parametrize(
    ("primaries", "gamma", "profile"), [(DISPLAY_P3, None, P3), (ADOBE_RGB, ADOBE_GAMMA, ADOBE)]
)
def test_a_picture_with_a_profile_is_what_the_formulas_give(
    kind: str, options: dict[str, object], primaries: Primaries, gamma: float | None, profile: bytes
) -> None:
    pixels = noise(3)
    content = encode(Image.fromarray(pixels), kind, profile, **options)
    found = np.asarray(open_rgb(content)).astype(float)
    assert np.abs(found - convert(pixels, primaries, gamma)).max() < 1
    assert np.abs(found - pixels).max() > 60


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_a_lossy_picture_is_converted_behind_its_decoder(kind: str) -> None:
    image = Image.fromarray(noise(3)).resize((64, 48), Image.Resampling.BICUBIC)
    with Image.open(io.BytesIO(encode(image, kind, P3))) as decoded:
        pixels = np.asarray(decoded.convert("RGB"))
    found = np.asarray(open_rgb(encode(image, kind, P3))).astype(float)
    assert np.abs(found - convert(pixels, DISPLAY_P3, None)).max() < 1


@pytest.mark.parametrize(
    "profile",
    [
        rgb_profile(SRGB),
        rgb_profile(SRGB, name="camera"),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "1"])
def test_srgb_under_any_name_changes_nothing(profile: bytes, mode: str) -> None:
    image = Image.fromarray(noise(4)).convert(mode)
    marked = image.copy()
    marked.info["icc_profile"] = profile
    assert is_srgb(profile)
    assert name_profile(marked) == ""
    assert to_rgb(marked).tobytes() == to_rgb(image).tobytes()


def test_the_profile_is_not_applied_twice_nor_written_with_converted_pixels() -> None:
    image = Image.fromarray(noise(3))
    image.info["icc_profile"] = P3
    once = to_rgb(image)
    assert "icc_profile" not in once.info
    assert to_rgb(once).tobytes() == once.tobytes()
    assert image.info["icc_profile"] == P3


def test_transparency_stays_and_is_laid_on_white() -> None:
    pixels = noise(4)
    found = np.asarray(open_rgb(encode(Image.fromarray(pixels), "PNG", P3))).astype(float)
    alpha = pixels[..., 3:] / 255
    expected = alpha * convert(pixels[..., :3], DISPLAY_P3, None) + (1 - alpha) * 255
    assert np.abs(found - expected).max() < 2


def test_a_palette_is_converted_with_its_transparent_colour() -> None:
    image = Image.fromarray(noise(3)).quantize(16)
    pixels = np.asarray(image.convert("RGB"))
    found = np.asarray(open_rgb(encode(image, "PNG", P3, transparency=3))).astype(float)
    expected = convert(pixels, DISPLAY_P3, None)
    expected[np.asarray(image) == 3] = 255
    assert np.abs(found - expected).max() < 1


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_grey_has_profiles_of_its_own(deep: bool, gamma: float) -> None:
    ramp = np.arange(256, dtype=np.uint8)[None]
    image = Image.fromarray(ramp.astype(np.uint16) * 257) if deep else Image.fromarray(ramp)
    with Image.open(io.BytesIO(encode(image, "PNG", grey_profile(gamma)))) as opened:
        assert name_profile(opened) == CONVERTED
    found = np.asarray(open_rgb(encode(image, "PNG", grey_profile(gamma))), float)
    expected = 255 * encode_srgb((np.arange(256) / 255) ** gamma)
    assert np.abs(found[0, :, 0] - expected).max() < 1
    assert (np.ptp(found, axis=-1) == 0).all()


def test_grey_with_alpha_and_grey_in_colour_are_converted() -> None:
    grey = noise(1)
    both = Image.merge("LA", (Image.fromarray(grey), Image.new("L", (32, 24), 255)))
    expected = 255 * encode_srgb((grey / 255) ** 1.8)
    found = np.asarray(open_rgb(encode(both, "PNG", grey_profile(1.8))), float)
    assert np.abs(found[..., 0] - expected).max() < 1
    image = Image.fromarray(grey)
    image.info["icc_profile"] = ADOBE
    expected = convert(np.repeat(grey[..., None], 3, -1), ADOBE_RGB, ADOBE_GAMMA)
    assert np.abs(np.asarray(to_rgb(image)) - expected).max() < 1


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_inks_are_converted_by_their_table(kind: str) -> None:
    options: dict[str, object] = {"quality": 100} if kind == "JPEG" else {}
    for inks, lightness in (((0, 0, 0, 0), 100), ((255, 0, 0, 0), 200 / 3), ((255, 255, 0, 0), 100 / 3)):
        content = encode(Image.new("CMYK", (16, 16), inks), kind, cmyk_profile(), **options)
        luminance = ((lightness + 16) / 116) ** 3
        expected = 255 * encode_srgb(np.array(luminance))
        assert np.abs(np.asarray(open_rgb(content), float) - expected).max() < 2


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize(
    ("mode", "profile"),
    [
        ("RGB", b"no profile"),
        ("RGB", P3[:200]),
        ("RGB", P3[:130] + b"\xff" * 40 + P3[170:]),
        ("RGB", grey_profile(2.2)),
        ("RGB", cmyk_profile()),
        ("L", cmyk_profile()),
        ("CMYK", P3),
        ("CMYK", b"no profile"),
    ],
)
def test_a_profile_that_cannot_be_applied_is_flagged_and_the_picture_read_as_without(
    kind: str, mode: str, profile: bytes
) -> None:
    if (kind, mode) == ("PNG", "CMYK"):
        return
    image = Image.fromarray(noise(3)).convert(mode)
    content = encode(image, kind, profile)
    with Image.open(io.BytesIO(content)) as opened:
        assert name_profile(opened) == UNREAD
    assert open_rgb(content).tobytes() == open_rgb(encode(image, kind, None)).tobytes()


def test_lab_needs_no_profile(tmp_path: Path) -> None:
    lab = ImageCms.applyTransform(
        Image.fromarray(noise(3)),
        ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"),
    )
    assert lab is not None
    lab.save(tmp_path / "plain.tiff")
    lab.save(tmp_path / "marked.tiff", icc_profile=P3)
    assert open_rgb(tmp_path / "plain.tiff").tobytes() == open_rgb(tmp_path / "marked.tiff").tobytes()
    assert np.abs(np.asarray(open_rgb(tmp_path / "plain.tiff"), float) - noise(3)).mean() < 8
