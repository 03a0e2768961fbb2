"""One entry to one row: any picture a person may have, and the edges of what is stored."""

from __future__ import annotations

import io
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from picture_folders import jpeg, photograph, save_every_mode
from PIL import Image, ImageCms

from lepbench.data.config import BuildConfig
from lepbench.data.corpus import Original, Reason, Rejected
from lepbench.data.picture import decode_picture, encode_edges, encode_picture
from lepbench.data.read import decode_row
from lepbench.data.sources import Folder
from lepbench.data.triplet import PreparedPicture, find_edges, make_row, measure_edge_density, prepare_picture
from lepbench.detectors import Canny, Sobel
from lepbench.files import sha256_bytes, sha256_file
from lepbench.images import Pixels

PHOTOGRAPH = jpeg(photograph())


def configured(size: int | None, **settings: object) -> BuildConfig:
    return BuildConfig.model_validate({"source": "sketchworld", "size": size, **settings})


def prepared(picture: bytes | Pixels, size: int | None = 64, **settings: object) -> PreparedPicture:
    return prepare_picture("it", Original(picture, "a caption"), configured(size, **settings))


@pytest.fixture(scope="module")
def every_mode(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PreparedPicture]:
    folder = tmp_path_factory.mktemp("modes")
    save_every_mode(folder)
    corpus = Folder(path=folder).open(48, None)
    entries = [corpus.entry(number) for number in range(corpus.count)]
    pictures = [prepare_picture(entry.id, entry.load(), configured(48)) for entry in entries]
    assert all(picture.sha256 == sha256_file(folder / picture.id) for picture in pictures)
    return {Path(picture.id).stem: picture for picture in pictures}


def test_every_mode_comes_out_square_rgb_with_its_caption(every_mode: dict[str, PreparedPicture]) -> None:
    assert len(every_mode) == 13
    for name, picture in every_mode.items():
        assert picture.pixels.shape == (48, 48, 3)
        assert picture.pixels.dtype == np.uint8
        assert picture.text == f"a photograph called {name}"


def difference(a: PreparedPicture, b: PreparedPicture) -> float:
    """Mean absolute difference, of 255."""
    return float(np.abs(a.pixels.astype(int) - b.pixels).mean())


@pytest.mark.parametrize(("name", "tolerance"), [("cmyk", 12), ("palette", 8), ("moving", 12), ("UPPER", 8)])
def test_colour_modes_show_the_same_picture(
    every_mode: dict[str, PreparedPicture], name: str, tolerance: float
) -> None:
    assert difference(every_mode[name], every_mode["rgb"]) < tolerance


@pytest.mark.parametrize("name", ["sixteen", "float"])
def test_deep_grey_modes_keep_their_tones(every_mode: dict[str, PreparedPicture], name: str) -> None:
    assert difference(every_mode[name], every_mode["grey"]) <= 1


def test_exif_rotation_is_applied_and_the_upright_size_recorded(
    every_mode: dict[str, PreparedPicture],
) -> None:
    upright, lying = every_mode["rotated"], every_mode["rgb"]
    assert (upright.width, upright.height, lying.width, lying.height) == (100, 150, 150, 100)
    assert difference(upright._replace(pixels=np.rot90(upright.pixels)), lying) < 2


def test_transparency_is_laid_on_white() -> None:
    clear = np.zeros((64, 64, 4), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(clear).save(buffer, format="PNG")
    assert (prepared(buffer.getvalue()).pixels == 255).all()


def test_the_centre_square_is_cut_after_an_antialiased_resize() -> None:
    stripes = np.zeros((200, 600, 3), np.uint8)
    stripes[:, 200:400] = np.arange(200)[None, :, None] % 2 * 255  # one-pixel stripes at the centre
    stripes[:, :200], stripes[:, 400:] = (255, 0, 0), (0, 0, 255)
    pixels = prepared(stripes, 50).pixels
    inner = pixels[:, 4:-4].astype(int)
    assert (np.abs(inner - 127.5) < 16).all()  # averaged to grey: nearest sampling would give 0 or 255


def test_shrinking_is_the_area_average_of_opencv() -> None:
    image = np.array(photograph().crop((25, 0, 125, 100)))
    assert (prepared(image, 25).pixels == cv2.resize(image, (25, 25), interpolation=cv2.INTER_AREA)).all()
    whole = image.reshape(25, 4, 25, 4, 3).mean((1, 3))
    assert np.abs(prepared(image, 25).pixels - whole).max() <= 1


def test_a_small_picture_is_enlarged_and_keeps_its_own_size_on_record() -> None:
    picture = prepared(jpeg(photograph().resize((30, 20))))
    assert picture.pixels.shape == (64, 64, 3)
    assert (picture.width, picture.height) == (30, 20)
    assert picture.flags == ("enlarged",)


def test_a_drawn_picture_of_the_wanted_size_is_stored_as_drawn() -> None:
    drawn = np.array(photograph().resize((64, 64)))
    picture = prepared(drawn)
    assert (picture.pixels == drawn).all()
    assert picture.sha256 == sha256_bytes(drawn.tobytes())


@pytest.mark.parametrize(
    "content",
    [
        PHOTOGRAPH[: len(PHOTOGRAPH) // 2],
        PHOTOGRAPH[:40],
        b"this is no picture",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
    ],
    ids=["half a jpeg", "a header", "text", "gif magic", "png magic"],
)
def test_what_cannot_be_decoded_is_rejected(content: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        prepared(content)
    assert caught.value.reason == Reason.NOT_DECODABLE
    assert "\n" not in caught.value.detail
    assert "0x" not in caught.value.detail  # no addresses: the record is the same each time


@pytest.mark.parametrize("content", [PHOTOGRAPH, jpeg(photograph().convert("L"))], ids=["plain", "grey"])
def test_a_machine_without_memory_is_no_fault_of_the_picture(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*args: object) -> Pixels:
        raise MemoryError

    for work in ("_opencv", "turn_upright"):
        monkeypatch.setattr(f"lepbench.data.picture.{work}", exhausted)
    with pytest.raises(MemoryError):
        prepared(content)


@given(
    st.integers(0, len(PHOTOGRAPH) - 1), st.binary(min_size=1, max_size=24), st.integers(0, len(PHOTOGRAPH))
)
def test_a_damaged_file_gives_a_picture_or_a_reject_and_nothing_else(at: int, noise: bytes, end: int) -> None:
    content = (PHOTOGRAPH[:at] + noise + PHOTOGRAPH[at + len(noise) :])[:end]
    try:
        assert prepared(content, 16).pixels.shape == (16, 16, 3)
    except Rejected as rejected:
        reason = rejected.reason
        assert reason == Reason.NOT_DECODABLE


def test_a_picture_beyond_the_limit_is_turned_away_before_it_is_decoded() -> None:
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, format="PNG")
    assert len(bomb.getvalue()) < 100_000
    for limit in (1000, 100_000_000):
        with pytest.raises(Rejected) as caught:
            prepared(bomb.getvalue(), max_pixels=limit)
        assert (caught.value.reason, caught.value.detail) == (Reason.TOO_LARGE, "20000 x 20000 px")


@pytest.mark.parametrize(
    ("side", "store", "passes"),
    [
        (65_500, "jpeg", True),
        (65_501, "jpeg", False),
        (65_501, "auto", True),
        (10**6, "png", True),
        (10**6 + 1, "png", False),
    ],
)
@pytest.mark.parametrize("upright", [False, True])
def test_a_side_that_cannot_be_stored_is_a_reject(side: int, store: str, passes: bool, upright: bool) -> None:
    long = np.zeros((side, 1, 3) if upright else (1, side, 3), np.uint8)
    content = saved(Image.fromarray(long), "PNG")
    for picture in (long, content):
        if passes:
            assert prepared(picture, None, store=store).pixels.shape == long.shape
            continue
        with pytest.raises(Rejected, match=f"px, and a (PNG|JPEG) has at most {side - 1} a side") as caught:
            prepared(picture, None, store=store)
        assert caught.value.reason == Reason.TOO_LARGE
    assert prepared(long, 16, store=store).pixels.shape == (16, 16, 3)


def test_flags_say_what_was_unusual(every_mode: dict[str, PreparedPicture]) -> None:
    flags = {name: picture.flags for name, picture in every_mode.items()}
    assert flags["rgb"] == flags["UPPER"] == ()
    assert flags["grey"] == flags["bilevel"] == ("grey",)
    assert flags["rotated"] == ("rotated",)
    assert flags["cmyk"] == ("CMYK",)
    assert flags["rgba"] == ("transparency",)
    assert flags["la"] == ("transparency", "grey")
    assert flags["palette"] == ("palette",)
    assert flags["moving"][0] == "first frame"
    assert flags["sixteen"] == flags["float"] == ("deep grey",)
    assert flags["small"] == ("enlarged",)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
@pytest.mark.parametrize("mode", ["L", "1"])
@pytest.mark.parametrize("size", [64, None])
def test_grey_of_the_wanted_size_is_stored_as_rgb_all_the_same(
    form: str, mode: str, size: int | None
) -> None:
    square = photograph().resize((64, 64)).convert(mode)
    content = saved(square, form)
    picture = prepared(content, size)
    with Image.open(io.BytesIO(picture.content)) as stored:
        assert (stored.mode, stored.format) == ("RGB", form)
        assert (np.array(stored) == picture.pixels).all()
    assert picture.flags == ("grey",)
    assert picture.sha256 == sha256_bytes(content)
    (edges,) = find_edges([picture], configured(64))
    row = make_row(picture, edges, 0.1, configured(64).source.open(64, 1), "canny@1")
    assert decode_row(row).image.shape == (64, 64, 3)


def deep_colours() -> dict[str, bytes]:
    """A picture of 16 bits a channel in every container."""
    deep = np.array(photograph())[..., ::-1].astype(np.uint16) * 257
    files = {suffix: cv2.imencode(suffix, deep)[1].tobytes() for suffix in (".png", ".tiff", ".ppm")}
    clear = np.dstack([deep, np.full_like(deep[..., :1], 65535)])
    return files | {"clear.png": cv2.imencode(".png", clear)[1].tobytes()}


@pytest.mark.parametrize("name", [".png", ".tiff", ".ppm", "clear.png"])
def test_more_bits_than_are_kept_are_a_flag(name: str) -> None:
    content = deep_colours()[name]
    picture = prepared(content, None)
    assert picture.flags[-1] == "deep colour"
    assert picture.content != content
    assert (picture.pixels == np.array(photograph())).all()


def test_lab_is_no_transparency() -> None:
    rgb, lightness = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    lab = ImageCms.profileToProfile(photograph(), rgb, lightness, outputMode="LAB")
    assert lab is not None
    picture = prepared(saved(lab, "TIFF"), None)
    assert picture.flags == ("LAB",)
    assert np.abs(picture.pixels.astype(int) - np.array(photograph())).mean() < 3


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.filterwarnings("error")
def test_what_is_no_number_is_no_picture(value: float) -> None:
    grey = np.array(photograph().convert("L"), np.float32)
    grey[3, 4] = value
    with pytest.raises(Rejected) as caught:
        prepared(saved(Image.fromarray(grey), "TIFF"))
    assert (caught.value.reason, caught.value.detail) == (Reason.NOT_DECODABLE, "values that are no numbers")


def test_the_fast_way_gives_the_pixels_of_pillow() -> None:
    for options in ({"quality": 95}, {"quality": 60, "progressive": True}, {"subsampling": 0}):
        content = jpeg(photograph(), **options)
        assert (decode_picture(content, 10**6).pixels == np.array(Image.open(io.BytesIO(content)))).all()


def test_original_bytes_are_kept_where_they_fit_and_only_there() -> None:
    square = photograph().crop((0, 0, 96, 96))
    content = jpeg(square)
    png = io.BytesIO()
    square.save(png, format="PNG")
    assert prepared(content, 96).content == prepared(content, None).content == content
    assert prepared(png.getvalue(), 96).content == png.getvalue()
    assert prepared(content, 64).content != content
    assert prepared(content, 96, store="png").content != content
    assert prepared(png.getvalue(), 96, store="jpeg").content.startswith(b"\xff\xd8")
    turned = Image.Exif()
    turned[0x0112] = 6
    assert prepared(jpeg(square, exif=turned), 96).content != jpeg(square, exif=turned)


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(["png", "jpeg"]), st.sampled_from([None, 16]))
def test_pixels_are_those_of_the_stored_bytes(height: int, width: int, form: str, size: int | None) -> None:
    drawn = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    picture = prepared(drawn, size, store=form)
    stored = np.array(Image.open(io.BytesIO(picture.content)))
    assert (stored == picture.pixels).all()
    assert stored.shape == ((size, size, 3) if size else (height, width, 3))


@pytest.mark.parametrize(("size", "store"), [(64, "png"), (160, "png"), (160, "jpeg"), (None, "jpeg")])
def test_edges_are_those_of_the_stored_bytes_whatever_the_neighbours(
    size: int | None, store: str, every_mode: dict[str, PreparedPicture]
) -> None:
    config = configured(size, store=store)
    corpus = config.source.open(64, 1)
    pictures = [prepared(picture.pixels, size, store=store) for picture in every_mode.values()]
    for picture, edges in zip(pictures, find_edges(pictures, config), strict=True):
        row = make_row(picture, edges, 0.1, corpus, "canny@1")
        image, drawn = (
            np.array(Image.open(io.BytesIO(row[c]["bytes"]))) for c in ("image", "conditioning_image")
        )
        alone = Canny()(torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255)[0]
        assert (alone.numpy() == drawn).all()


@given(st.binary(min_size=48, max_size=48))
def test_png_is_lossless_for_any_pixels(content: bytes) -> None:
    pixels = np.frombuffer(content, np.uint8).reshape(4, 4, 3)
    decoded = cv2.imdecode(np.frombuffer(encode_picture(pixels, "PNG"), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert decoded is not None
    assert np.array_equal(decoded, pixels)
    edges = pixels[..., 0] > 127
    assert (np.array(Image.open(io.BytesIO(encode_edges(edges)))) == edges).all()


def test_soft_edges_are_the_detectors_strengths() -> None:
    picture = prepared(np.array(photograph()), 64)
    detector = Sobel(threshold=0.3)
    config = configured(64, detector={"name": "sobel", "threshold": 0.3}, edges="soft")
    (edges,) = find_edges([picture], config)
    strength = detector.soft(torch.from_numpy(picture.pixels).permute(2, 0, 1)[None].float() / 255)[0]
    assert np.abs(edges / 255 - strength.numpy()).max() <= 0.5 / 255 + 1e-6
    row = make_row(picture, edges, measure_edge_density(edges, config), config.source.open(64, 1), "sobel@1")
    stored = decode_row(row).edges
    assert (stored.dtype, stored.tolist()) == (np.dtype(np.uint8), edges.tolist())
    assert row["edge_density"] == pytest.approx(float((strength > 0.3).float().mean()), abs=0.01)
    with pytest.raises(ValueError, match="gives no strengths of edges"):
        configured(64, edges="soft")


class Counted(Sobel):
    """Remembers how many pictures came at a time."""

    version: ClassVar[str] = "1"
    calls: ClassVar[list[int]] = []

    def soft(self, images: torch.Tensor) -> torch.Tensor:
        self.calls.append(len(images))
        return super().soft(images)


def many(*shapes: tuple[int, int]) -> list[PreparedPicture]:
    """Pictures of these heights and widths, all different."""
    one = prepared(np.array(photograph()), None)
    turned = (np.array(photograph().rotate(7 * number)) for number in range(len(shapes)))
    return [
        one._replace(pixels=cv2.resize(pixels, shape[::-1]))
        for pixels, shape in zip(turned, shapes, strict=True)
    ]


@pytest.mark.parametrize("detector", [{"name": "sobel"}, {"name": "sobel", "thin": False}, {"name": "xdog"}])
@pytest.mark.parametrize("shape", [(64, 64), (37, 53), (301, 299)])
def test_soft_edges_are_the_same_to_the_bit_in_any_batch(
    detector: dict[str, object], shape: tuple[int, int]
) -> None:
    config = configured(None, detector=detector, edges="soft")
    pictures = many(*[shape] * 7, (40, 40), shape)
    for picture, edges in zip(pictures, find_edges(pictures, config), strict=True):
        (alone,) = find_edges([picture], config)
        assert (edges.dtype, edges.shape) == (np.dtype(np.uint8), picture.pixels.shape[:2])
        assert (edges == alone).all()


def test_small_pictures_of_a_size_are_graded_together_and_large_ones_alone() -> None:
    config = configured(None, detector="sobel", edges="soft").model_copy(update={"detector": Counted()})
    Counted.calls.clear()
    assert len(list(find_edges(many(*[(64, 64)] * 7, (40, 40), *[(512, 512)] * 2), config))) == 10
    assert Counted.calls == [7, 1, 1, 1]
