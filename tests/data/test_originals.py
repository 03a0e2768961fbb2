"""Originals with colour profiles, and of lossy and lossless kinds, through a build: bytes, flags and card."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from icc_profiles import DISPLAY_P3, SRGB, convert, rgb_profile
from picture_folders import photograph
from PIL import Image

from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.data.jpeg import read_profile
from lepbench.data.picture import decode_picture, store_picture
from lepbench.images import open_rgb
from lepbench.scoring.features import find_pictures

P3, PLAIN = rgb_profile(DISPLAY_P3), rgb_profile(SRGB)
BOUND = 10**8


def encode(kind: str, image: Image.Image | None = None, **options: Any) -> bytes:
    buffer = io.BytesIO()
    (image or photograph()).save(buffer, format=kind, **options)
    return buffer.getvalue()


def store(content: bytes, size: int | None = None) -> bytes:
    return store_picture(decode_picture(content, BOUND), content, size, "auto").content


@pytest.mark.parametrize("options", [{}, {"exif": Image.Exif().tobytes()}, {"progressive": True}])
def test_an_srgb_profile_leaves_a_jpeg_as_it_is(options: dict[str, Any]) -> None:
    content = encode("JPEG", icc_profile=PLAIN, **options)
    decoded, without = decode_picture(content, BOUND), decode_picture(encode("JPEG", **options), BOUND)
    assert decoded.flags == ()
    assert (decoded.pixels == without.pixels).all()
    assert store(content) == content


def test_an_srgb_profile_leaves_a_png_as_it_is() -> None:
    content = encode("PNG", icc_profile=PLAIN)
    assert store(content) == content
    assert (decode_picture(content, BOUND).pixels == np.asarray(photograph())).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("options", [{}, {"exif": Image.Exif().tobytes()}])
def test_another_profile_is_applied_and_not_stored(kind: str, options: dict[str, Any]) -> None:
    content = encode(kind, icc_profile=P3, **options)
    with Image.open(io.BytesIO(content)) as image:
        expected = convert(np.asarray(image.convert("RGB")), DISPLAY_P3, None)
    decoded = decode_picture(content, BOUND)
    assert decoded.flags == ("colour profile",)
    assert np.abs(decoded.pixels - expected).max() < 1
    stored = store(content)
    with Image.open(io.BytesIO(stored)) as image:
        assert image.format == kind
        assert "icc_profile" not in image.info
        assert np.abs(np.asarray(image) - expected).mean() < 2


def test_a_damaged_profile_is_flagged_and_the_rest_read() -> None:
    content = encode("JPEG", icc_profile=b"x" * 70_000)
    decoded = decode_picture(content, BOUND)
    assert decoded.flags == ("unread colour profile",)
    assert (decoded.pixels == decode_picture(encode("JPEG"), BOUND).pixels).all()


def test_the_profile_of_a_jpeg_is_that_which_pillow_reads() -> None:
    for profile in (P3, b"", bytes(range(256)) * 600):
        content = encode("JPEG", icc_profile=profile, comment=b"x")
        with Image.open(io.BytesIO(content)) as image:
            assert read_profile(content) == image.info.get("icc_profile", b"") == profile


def test_a_build_flags_profiles_and_its_card_says_so(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name, profile in (("a", P3), ("b", PLAIN), ("c", None), ("d", b"broken")):
        turned = photograph().rotate(ord(name))
        (photos / f"{name}.png").write_bytes(encode("PNG", turned, icc_profile=profile))
        (photos / f"{name}.txt").write_text(name)
    source = {"name": "folder", "path": photos}
    manifest = build_triplets(
        BuildConfig.model_validate({"source": source, "size": None}), tmp_path / "out"
    ).manifest
    assert manifest.recipe.format == 4
    assert manifest.flags == {"colour profile": 1, "unread colour profile": 1}
    (shard,) = (tmp_path / "out" / "data").iterdir()
    rows = pq.read_table(shard, columns=["image", "flags"]).to_pylist()
    assert [row["flags"] for row in rows] == [["colour profile"], [], [], ["unread colour profile"]]
    card = (tmp_path / "out" / "README.md").read_text()
    assert (
        "colours are sRGB: those of 1 rows were converted from the colour profile of the original; 1 rows"
        in card
    )
    # What a set is compared with is read alike.
    for row, path in zip(rows, find_pictures(photos), strict=True):
        with Image.open(io.BytesIO(row["image"]["bytes"])) as image:
            assert (np.asarray(image.convert("RGB")) == np.asarray(open_rgb(path))).all()


def animated(**options: Any) -> bytes:
    return encode("WEBP", save_all=True, append_images=[photograph().rotate(9)], **options)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (encode("PNG"), "PNG"),
        (encode("JPEG"), "JPEG"),
        (encode("JPEG", progressive=True, exif=Image.Exif().tobytes()), "JPEG"),
        (encode("WEBP"), "JPEG"),
        (encode("WEBP", lossless=True), "PNG"),
        (encode("WEBP", photograph().convert("RGBA")), "JPEG"),
        (encode("WEBP", lossless=True, icc_profile=P3, exif=Image.Exif().tobytes()), "PNG"),
        (encode("WEBP", icc_profile=P3), "JPEG"),
        (animated(), "JPEG"),
        (animated(lossless=True), "PNG"),
        (encode("JPEG2000"), "PNG"),
        (encode("JPEG2000", irreversible=True), "JPEG"),
        (encode("JPEG2000", no_jp2=True), "PNG"),
        (encode("JPEG2000", no_jp2=True, irreversible=True), "JPEG"),
        (encode("TIFF"), "PNG"),
        (encode("TIFF", compression="tiff_lzw"), "PNG"),
        (encode("TIFF", compression="jpeg"), "JPEG"),
        (encode("AVIF"), "JPEG"),
        (encode("GIF"), "PNG"),
        (encode("BMP"), "PNG"),
    ],
)
def test_what_is_stored_follows_from_the_content(content: bytes, kind: str, tmp_path: Path) -> None:
    """And not from the suffix: each is read under a wrong one, too."""
    with Image.open(io.BytesIO(store(content, 64))) as image:
        assert image.format == kind
    (tmp_path / "in").mkdir()
    for suffix in ("jpg", "png"):
        (tmp_path / "in" / f"a.{suffix}").write_bytes(content)
    (tmp_path / "in" / "a.txt").write_text("a")
    source = {"name": "folder", "path": tmp_path / "in"}
    config = {"source": source, "size": 64, "hygiene": {"duplicates": "keep"}}
    build_triplets(BuildConfig.model_validate(config), tmp_path / "out")
    (shard,) = (tmp_path / "out" / "data").iterdir()
    for row in pq.read_table(shard, columns=["image"]).to_pylist():
        with Image.open(io.BytesIO(row["image"]["bytes"])) as image:
            assert image.format == kind
