"""Decode, check and store images: upright, RGB, at the requested size."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from lepbench.colours import is_srgb, name_profile
from lepbench.data.corpus import Reason, Rejected
from lepbench.data.jpeg import ends_early, ordinary_size, quiet, read_profile
from lepbench.data.lossy import is_lossy
from lepbench.images import FORMATS, Pixels, to_rgb

Plane = TypeVar("Plane", bound=NDArray[Any])
Format = Literal["auto", "png", "jpeg"]
"""Storage format; `auto` stores lossless originals as PNG, others as JPEG."""

JPEG_QUALITY = 95
LONGEST = {"JPEG": 65_500, "PNG": 1_000_000}
"""Pixels a side that can be written; edges, which are PNG, may be longer than any picture."""
PNG_LEVEL = 1
"""Fast PNG compression: a third of the time for a tenth more bytes."""
ORIENTATION = 0x0112
TRANSPARENT = frozenset(("LA", "La", "PA", "RGBA", "RGBa"))


class Decoded(NamedTuple):
    """What an encoded picture holds.

    Attributes:
        pixels: uint8 [H, W, 3], upright.
        width, height: of the original, upright, in px.
        format: as Pillow calls it; empty for a picture that was drawn and has no file.
        flags: what had to be done to it.
        lossy: whether encoding it lost details.
    """

    pixels: Pixels
    width: int
    height: int
    format: str
    flags: tuple[str, ...] = ()
    lossy: bool = False


class Stored(NamedTuple):
    """An image of a row: encoded, and the decoded pixels."""

    content: bytes
    pixels: Pixels


def decode_picture(content: bytes, most: int) -> Decoded:
    """Encoded bytes to upright RGB: transparency on white, 16-bit and float grey scaled, the first frame.

    Ordinary JPEG goes through OpenCV, whose pixels are those of Pillow in a third of the time less.

    Args:
        most: pixels a picture may have; a larger one is not decoded.

    Raises:
        Rejected: it is too large, truncated or damaged, or no picture.
    """
    try:
        return _ordinary(content, most) or _any(content, most)
    except (Rejected, MemoryError):  # the machine's lack is not the picture's fault
        raise
    except UnidentifiedImageError as error:
        raise Rejected(Reason.NOT_DECODABLE, "no known format") from error
    except Exception as error:  # a decoder may raise anything over hostile bytes
        raise Rejected(Reason.NOT_DECODABLE, type(error).__name__) from error


def _ordinary(content: bytes, most: int) -> Decoded | None:
    """Decode an ordinary JPEG in sRGB; None for anything else."""
    size = ordinary_size(content)
    if size is None or ((profile := read_profile(content)) and not is_srgb(profile)):
        return None
    _check_size(*size, most)
    pixels = _opencv(content)
    _check_end(content, pixels[-1, -1].tolist())
    return Decoded(pixels, *size, "JPEG", lossy=True)


def _any(content: bytes, most: int) -> Decoded:
    with _pillow_at_ease(), Image.open(io.BytesIO(content), formats=FORMATS) as image:
        _check_size(*image.size, most)
        flags = tuple(list_peculiarities(image))
        image.load()
        if image.format in ("JPEG", "MPO"):
            right, below = image.size
            last = np.asarray(image.crop((right - 1, below - 1, right, below)))
            _check_end(content, last.ravel().tolist())
        pixels = turn_upright(image)
        height, width = pixels.shape[:2]
        lossy = is_lossy(image, content)
        return Decoded(pixels, width, height, format=str(image.format), flags=flags, lossy=lossy)


def _check_size(width: int, height: int, most: int) -> None:
    if width * height > most:
        raise Rejected(Reason.TOO_LARGE, f"{width} x {height} px")


def _check_end(content: bytes, last: list[int]) -> None:
    if ends_early(content, last):
        raise Rejected(Reason.NOT_DECODABLE, "JPEG data end early")


@contextmanager
def _pillow_at_ease() -> Iterator[None]:
    """Pillow warns from a size on, and refuses from another; here the limit is the caller's.

    Nor does it warn of odd tags: what cannot be used is a reject, and the rest may be odd.
    """
    bound, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = bound


def list_peculiarities(image: Image.Image) -> Iterator[str]:
    """Flags for every property of an image that is not plain 8-bit RGB."""
    kind = name_unusual(image)  # before EXIF is read, which may load the image and lose its bit depth
    if image.getexif().get(ORIENTATION, 1) not in (0, 1):
        yield "rotated"
    if getattr(image, "n_frames", 1) > 1:
        yield "first frame"
    if image.mode in TRANSPARENT or "transparency" in image.info:
        yield "transparency"
    if kind:
        yield kind
    if profile := name_profile(image):
        yield profile


def name_unusual(image: Image.Image) -> str:
    """Flag of an image without 8-bit colours; empty otherwise."""
    if image.mode in ("1", "L", "LA"):
        return "deep grey" if is_deep(image) else "grey"
    if image.mode.startswith("I") or image.mode == "F":
        return "deep grey"
    if image.mode.startswith("P"):
        return "palette"
    if image.mode not in ("RGB", "RGBA"):
        return image.mode
    return "deep colour" if is_deep(image) else ""


def is_deep(image: Image.Image) -> bool:
    """Whether more than 8 bits a channel are cut to 8 by Pillow, whose mode does not tell."""
    for tile in getattr(image, "tile", ()):
        arguments = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        raw, *others = arguments or ("",)
        return ";16" in str(raw) or (image.format == "PPM" and any(top > 255 for top in others))
    return False


def turn_upright(image: Image.Image) -> Pixels:
    """The pixels of a loaded image of any mode, upright.

    Raises:
        Rejected: it has NaN or infinite values.
    """
    turned = ImageOps.exif_transpose(image)
    if turned.mode == "F" and not np.isfinite(np.asarray(turned)).all():
        raise Rejected(Reason.NOT_DECODABLE, "values that are no numbers")
    return np.array(to_rgb(turned))


def _opencv(content: bytes) -> Pixels:
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    with quiet():
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    if pixels is None:
        raise Rejected(Reason.NOT_DECODABLE, "damaged JPEG")
    return np.asarray(pixels, np.uint8)


def fit_square(pixels: Pixels, size: int) -> Pixels:
    """The centre square of a picture at `size` px: averaged where it shrinks, bicubic where it grows."""
    square = crop_centre(pixels)
    if len(square) == size:
        return np.ascontiguousarray(square)
    how = cv2.INTER_AREA if size < len(square) else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (size, size), interpolation=how), np.uint8)


def crop_centre(pixels: Plane) -> Plane:
    """The centre square of a picture or map [H, W, ...], as long as its short side; a view."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return cast("Plane", pixels[top : top + side, left : left + side])


def store_picture(decoded: Decoded, original: bytes | None, size: int | None, form: Format) -> Stored:
    """The image at the requested size, encoded for storage.

    The original's bytes are kept if they are a plain 8-bit RGB PNG or JPEG of that size and format;
    other originals have a flag. For a JPEG the pixels are decoded from the stored bytes, so edges
    are detected on what is stored.

    Args:
        original: the encoded picture, None where it was drawn.
        size: side of the centre square, px; None keeps the whole picture.

    Raises:
        Rejected: it exceeds the maximum side of its format.
    """
    wanted = choose_format(decoded, form)
    if size is None and max(decoded.width, decoded.height) > LONGEST[wanted]:
        detail = f"{decoded.width} x {decoded.height} px, and a {wanted} has at most {LONGEST[wanted]} a side"
        raise Rejected(Reason.TOO_LARGE, detail)
    whole = size is None or decoded.width == decoded.height == size
    if original is not None and whole and decoded.format == wanted and not decoded.flags:
        return Stored(original, decoded.pixels)
    pixels = decoded.pixels if size is None else fit_square(decoded.pixels, size)
    content = encode_picture(pixels, wanted)
    return Stored(content, _opencv(content) if wanted == "JPEG" else pixels)


def choose_format(original: Decoded, form: Format) -> str:
    """PNG or JPEG, as Pillow calls them."""
    if form == "auto":
        return "JPEG" if original.lossy else "PNG"
    return form.upper()


def encode_picture(pixels: Pixels, form: str) -> bytes:
    """uint8 [H, W, 3] as JPEG or lightly packed PNG."""
    reversed_ = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    if form == "JPEG":
        return _encoded(".jpg", reversed_, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return _encoded(".png", reversed_, [cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL])


def encode_edges(edges: np.ndarray) -> bytes:
    """A bool map [H, W] as a bilevel PNG, white where true; a uint8 map as a grey one."""
    if edges.dtype == np.bool_:
        return _encoded(".png", edges.view(np.uint8), [cv2.IMWRITE_PNG_BILEVEL, 1])  # whatever is not 0 is 1
    return _encoded(".png", edges, [cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL])


def _encoded(suffix: str, pixels: np.ndarray, options: list[int]) -> bytes:
    done, content = cv2.imencode(suffix, pixels, options)
    if not done:
        raise ValueError(f"OpenCV cannot write {suffix} of {pixels.shape}")
    return content.tobytes()
