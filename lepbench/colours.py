"""Embedded colour profiles: which pictures have one that is not sRGB, and their conversion to sRGB."""

from __future__ import annotations

import io
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms

CONVERTED, UNREAD = "colour profile", "unread colour profile"
"""Flags of a picture that was converted, and of one whose profile cannot be applied to its pixels."""
MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""Modes of the pixels that profiles are of, by the name of their colour space."""
GRID = 9
ROUNDING = 2
"""Levels of 255 by which a profile may differ from sRGB and still be it: profiles round their curves."""


class ProfileTransform(NamedTuple):
    """What a profile does to pixels of a mode; `transform` is None where it is sRGB itself."""

    mode: str
    transform: ImageCms.ImageCmsTransform | None


def find_transform(image: Image.Image) -> ProfileTransform | None:
    """How to convert an image to sRGB by its profile; None if it has no usable one, or is in sRGB."""
    found = find_profile(image)
    return None if found is None or found.transform is None else found


def name_profile(image: Image.Image) -> str:
    """The flag of an image with a profile: `CONVERTED`, `UNREAD`, or empty; empty for sRGB and none, too."""
    if not image.info.get("icc_profile") or image.mode == "LAB":
        return ""
    if find_profile(image) is None:
        return UNREAD
    return CONVERTED if find_transform(image) else ""


def find_profile(image: Image.Image) -> ProfileTransform | None:
    """The profile of an image; None if it has none, or one that cannot be used."""
    content = image.info.get("icc_profile")
    # LAB is converted by definition.
    found = read_profile(content) if isinstance(content, bytes) and image.mode != "LAB" else None
    return found if found is not None and fits(found.mode, image.mode) else None


def fits(wanted: str, mode: str) -> bool:
    """Whether a profile of pixels of the mode `wanted` can be one of an image of a mode."""
    if wanted == "L":
        return mode in ("1", "L", "LA", "La", "F") or mode.startswith("I")
    return (wanted == "CMYK") == (mode == "CMYK")


def is_srgb(profile: bytes) -> bool:
    """Whether a profile says that pixels are sRGB, to rounding, whatever it calls itself."""
    found = read_profile(profile)
    return found is not None and found.transform is None


@lru_cache(maxsize=32)
def read_profile(content: bytes) -> ProfileTransform | None:
    """The transform of a profile to sRGB by perceptual intent; None if it is damaged or of no known mode."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
        mode = MODES[profile.profile.xcolor_space]
        # The optimised transform of grey is up to ten levels off in the darks.
        flags = ImageCms.Flags.NOOPTIMIZE if mode == "L" else ImageCms.Flags.NONE
        transform = ImageCms.buildTransform(profile, make_srgb(), mode, "RGB", flags=flags)
        return ProfileTransform(mode, None if changes_nothing(transform, mode) else transform)
    except (ImageCms.PyCMSError, OSError, KeyError, TypeError, ValueError):
        return None


@cache
def make_srgb() -> ImageCms.ImageCmsProfile:
    """The profile of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a transform leaves all of a grid of colours as they are, to rounding."""
    if mode == "CMYK":
        return False
    levels = np.linspace(0, 255, GRID).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(GRID, -1, 3)
    before = Image.fromarray(grid if mode == "RGB" else np.arange(256, dtype=np.uint8)[None])
    after = ImageCms.applyTransform(before, transform)
    assert after is not None
    change = np.asarray(after, np.int16) - np.asarray(before.convert("RGB"), np.int16)
    return int(np.abs(change).max()) <= ROUNDING


def to_srgb(image: Image.Image, found: ProfileTransform) -> Image.Image:
    """An image of any mode in sRGB, RGB or, if it was RGBA, that."""
    assert found.transform is not None
    colours = ImageCms.applyTransform(image.convert(found.mode), found.transform)
    assert colours is not None
    if image.mode == "RGBA":
        colours.putalpha(image.getchannel("A"))
    return colours
