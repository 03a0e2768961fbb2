"""JPEG files that end early though they look whole, those that only look as if they did, and silence."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_folders import jpeg, photograph
from PIL import Image

from lepbench.data.corpus import Reason, Rejected
from lepbench.data.jpeg import ends_early, ordinary_size, quiet
from lepbench.data.picture import Decoded, decode_picture

END = b"\xff\xd9"
TURNED = Image.Exif()
TURNED[0x0112] = 6
KINDS: dict[str, dict[str, object]] = {
    "plain": {},
    "full colour": {"subsampling": 0},
    "restarts": {"restart_marker_blocks": 1},
    "optimised": {"optimize": True},
    "turned": {"exif": TURNED},
}
MODES = ("RGB", "L", "CMYK")
kinds = pytest.mark.parametrize("kind", KINDS)
modes = pytest.mark.parametrize("mode", MODES)


def read(content: bytes) -> Decoded:
    return decode_picture(content, 10**6)


@kinds
@modes
@pytest.mark.parametrize("after", [b"", b"\0\0", b"garbage"])
def test_a_jpeg_that_was_cut_and_closed_again_is_no_picture(kind: str, mode: str, after: bytes) -> None:
    content = jpeg(photograph().convert(mode), **KINDS[kind])
    assert read(content + after).pixels.shape in ((100, 150, 3), (150, 100, 3))
    for share in (0.5, 0.7, 0.9, 0.97):
        with pytest.raises(Rejected) as caught:
            read(content[: int(share * len(content))] + END + after)
        assert caught.value.reason == Reason.NOT_DECODABLE


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(KINDS)), st.sampled_from(MODES), st.integers(20, 95), st.floats(0, 1), st.data()
)
def test_what_of_a_cut_jpeg_passes_lacks_a_part_of_its_last_block(
    kind: str, mode: str, quality: int, share: float, draw: st.DataObject
) -> None:
    image = photograph().convert(mode)
    content = jpeg(image, quality=quality, **KINDS[kind])
    start = content.rindex(b"\xff\xda") + 14
    whole = read(content).pixels
    cut = content[: start + int(share * (len(content) - 2 - start))] + END
    try:
        lacking = (read(cut).pixels != whole).any(-1)
    except Rejected:
        return
    assert lacking.sum() <= 18 * 18


@modes
@pytest.mark.parametrize("grey", [127, 128])
@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"progressive": True}], ids=str)
def test_a_grey_corner_alone_is_no_fault(mode: str, grey: int, options: dict[str, object]) -> None:
    channels = np.array(photograph().convert(mode))
    channels[40:] = grey
    assert read(jpeg(Image.fromarray(channels, mode), **options)).pixels.shape == (100, 150, 3)
    flat = np.full_like(channels, grey)
    assert read(jpeg(Image.fromarray(flat, mode), **options)).pixels.shape == (100, 150, 3)


def test_a_progressive_jpeg_must_have_all_its_scans() -> None:
    content = jpeg(photograph(), progressive=True)
    scans = [place for place in range(len(content)) if content.startswith(b"\xff\xda", place)]
    assert len(scans) > 4
    for place in scans[1:]:
        assert ends_early(content[:place] + END, [0, 0, 0])
    assert not ends_early(content, [0, 0, 0])
    with pytest.raises(Rejected):
        read(content[: len(content) // 2] + END)


def test_a_scan_that_says_nothing_of_its_coefficients_is_whole() -> None:
    content = bytearray(jpeg(photograph()))
    header = content.index(b"\xff\xda")
    content[header + 11 : header + 14] = b"\0\0\0"
    assert (read(bytes(content)).pixels == np.array(photograph())).mean() > 0.01
    assert not ends_early(bytes(content), [0, 0, 0])


def test_sizes_are_told_of_ordinary_files_alone() -> None:
    image = photograph()
    assert ordinary_size(jpeg(image)) == ordinary_size(jpeg(image, progressive=True)) == (150, 100)
    assert ordinary_size(jpeg(image, icc_profile=b"x" * 70_000, comment=b"y")) == (150, 100)
    for other in (image.convert("L"), image.convert("CMYK")):
        assert ordinary_size(jpeg(other)) is None
    assert ordinary_size(jpeg(image, exif=TURNED)) is None
    assert ordinary_size(jpeg(image)[:-2]) is None


@pytest.mark.slow
@given(st.binary(max_size=300), st.integers(0, 700))
def test_any_bytes_have_a_size_or_none(noise: bytes, at: int) -> None:
    content = jpeg(photograph())
    for damaged in (noise, b"\xff\xd8\xff" + noise + END, content[:at] + noise + content[at + len(noise) :]):
        assert ordinary_size(damaged) is None or len(ordinary_size(damaged) or ()) == 2


def test_damage_is_told_by_a_reject_and_not_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    content = jpeg(photograph())
    with pytest.raises(Rejected):
        read(content[: len(content) // 2] + END)
    flipped = content[:-300] + b"\0\1\2\3" + content[-296:]
    read(flipped)
    odd = bytearray(jpeg(photograph(), exif=TURNED))
    odd[odd.index(b"Exif") + 20 : odd.index(b"Exif") + 26] = b"\xff" * 6
    read(bytes(odd))
    assert capfd.readouterr().err == ""


def test_the_stream_is_back_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    content = jpeg(photograph())
    half = np.frombuffer(content[: len(content) // 2] + END, np.uint8)
    with quiet():
        cv2.imdecode(half, cv2.IMREAD_COLOR)
    cv2.imdecode(half, cv2.IMREAD_COLOR)
    assert capfd.readouterr().err.count("premature end") == 1
