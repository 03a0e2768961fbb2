"""Pictures in and out: reading any file a person may have, tensors, and PNG bytes."""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from lepbench.colours import find_transform, to_srgb
from lepbench.errors import LepbenchError

if TYPE_CHECKING:
    from torch import Tensor

Pixels = NDArray[np.uint8]
Read = TypeVar("Read")

SUFFIXES = frozenset((
    ".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tga",
    ".tif", ".tiff", ".webp",
))  # fmt: skip
"""Files of a folder that are taken for pictures."""
OTHER_SUFFIXES = frozenset((
    ".apng", ".arw", ".bpg", ".cr2", ".cr3", ".crw", ".dcm", ".dds", ".dib", ".dng", ".emf", ".eps",
    ".exr", ".hdr", ".heic", ".heif", ".icns", ".ico", ".j2c", ".j2k", ".jif", ".jpc", ".jpe", ".jpeg2",
    ".jpf", ".jpx", ".jxl", ".jxr", ".nef", ".nrw", ".orf", ".pcx", ".pef", ".pfm", ".pnm", ".psb",
    ".psd", ".qoi", ".raf", ".raw", ".rw2", ".sgi", ".srw", ".svg", ".svgz", ".wmf", ".xbm", ".xcf",
    ".xpm",
))  # fmt: skip
"""Files that hold pictures, too, of kinds that are not read."""
LARGEST = 50_000_000
"""Pixels of a picture that is decoded: those of the largest ordinary camera."""
MOST_BYTES = 1 << 28
"""Bytes of a file that is looked at whole."""
Image.init()
TRIED = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TGA", "TIFF", "WEBP")
FORMATS = tuple(name for name in TRIED if name in Image.OPEN)
"""Pillow formats that are tried on a file; others may run external programs or are no pictures of pixels."""
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PLAIN_CHUNKS = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND", b"bKGD", b"pHYs", b"sRGB", b"tIME", b"tRNS"))
"""Chunks of a PNG that tell neither how it is turned nor its colour profile."""


def open_rgb(source: Path | bytes, name: str = "image") -> Image.Image:
    """Read an image of any mode as RGB in sRGB, upright, transparency laid on white.

    Args:
        source: a path, or the bytes of an encoded image.
        name: what to call it in an error where `source` is bytes.

    Raises:
        LepbenchError: it is missing, truncated, larger than `LARGEST` or no image.
    """
    return open_as(to_rgb, source, name)


def open_as(convert: Callable[[Image.Image], Read], source: Path | bytes, name: str = "image") -> Read:
    """Read an image upright and convert it; see `open_rgb`, which converts with `to_rgb`.

    Raises:
        LepbenchError: see `open_rgb`, or it cannot be converted.
    """
    with open_header(source, name) as image:
        image.load()
        return convert(ImageOps.exif_transpose(image))


@contextmanager
def open_header(source: Path | bytes, name: str = "image") -> Iterator[Image.Image]:
    """An image of which only the header is read, and whose size is within `LARGEST`.

    What is raised over it in the block is said in one line.

    Raises:
        LepbenchError: see `open_rgb`.
    """
    label = str(source) if isinstance(source, Path) else name
    try:
        if isinstance(source, Path) and not stat.S_ISREG(source.stat().st_mode):
            raise LepbenchError(f"{label} is no plain file", "replace it by a picture")
        with (
            # Of odd tags, and of sizes below those that are refused here.
            warnings.catch_warnings(action="ignore"),
            Image.open(source if isinstance(source, Path) else io.BytesIO(source), formats=FORMATS) as image,
        ):
            check_size(image.size)
            yield image
    except (LepbenchError, MemoryError):
        raise
    except FileNotFoundError:
        raise LepbenchError(f"no such image: {label}", "check the path") from None
    except Image.DecompressionBombError:
        raise explain_size(label) from None
    except UnidentifiedImageError:
        raise LepbenchError(
            f"{label} is not an image that can be read", "give a PNG, JPEG or WebP file"
        ) from None
    except Exception as error:  # a decoder may raise anything over hostile bytes
        said = str(error) or type(error).__name__
        raise LepbenchError(f"{label} cannot be decoded: {said}", "replace the file") from error


def check_size(size: tuple[int, int]) -> None:
    """Refuse a picture that would take much memory.

    Raises:
        DecompressionBombError: it has more than `LARGEST` pixels.
    """
    if size[0] * size[1] > LARGEST:
        raise Image.DecompressionBombError


def explain_size(label: str) -> LepbenchError:
    """The error for a picture that is too large."""
    return LepbenchError(f"{label} has more than {LARGEST} pixels", "make it smaller")


def read_size(path: Path) -> tuple[int, int]:
    """Width and height of an image file in px, from its header, upright.

    Raises:
        LepbenchError: see `open_rgb`.
    """
    with open_header(path) as image:
        turned = image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
        return (image.height, image.width) if turned else image.size


def check_rgb(path: Path) -> tuple[int, int]:
    """Width and height in px of an image that `open_rgb` reads.

    A PNG is checked by its checksums, which are those of its pixels too: one that holds nothing else that has
    to be understood is not decoded, which takes far longer. Any other file is.

    Raises:
        LepbenchError: see `open_rgb`; or a PNG is not as it was written.
    """
    try:
        content = path.read_bytes() if path.is_file() and path.stat().st_size < MOST_BYTES else b""
        kinds = list_chunks(content) if content.startswith(PNG_SIGNATURE) else []
        if kinds[:1] == [b"IHDR"] and b"IDAT" in kinds and PLAIN_CHUNKS.issuperset(kinds):
            width, height = struct.unpack_from(">II", content, len(PNG_SIGNATURE) + 8)
            check_size((width, height))
            return width, height
    except OSError:
        pass  # `open_rgb` says why
    except Image.DecompressionBombError:
        raise explain_size(str(path)) from None
    except (ValueError, struct.error) as error:
        raise LepbenchError(f"{path} cannot be decoded: {error}", "replace the file") from None
    return open_rgb(path).size


def list_chunks(png: bytes) -> list[bytes]:
    """The types of the chunks of a PNG file, in order, each chunk whole by its checksum.

    Raises:
        ValueError: the file is cut off, or a checksum is not that of the bytes.
    """
    kinds: list[bytes] = []
    start = len(PNG_SIGNATURE)
    while kinds[-1:] != [b"IEND"]:
        try:
            length, kind = struct.unpack_from(">I4s", png, start)
            end = start + 8 + length
            (checksum,) = struct.unpack_from(">I", png, end)
        except struct.error:
            raise ValueError("it is cut off") from None
        if zlib.crc32(memoryview(png)[start + 4 : end]) != checksum:
            raise ValueError("its checksum is not that of its bytes")
        kinds.append(kind)
        start = end + 4
    return kinds


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert any PIL mode to RGB in sRGB.

    16-bit and float grey are scaled, colours of an embedded profile other than sRGB are converted, and
    transparency is laid on white.
    """
    profile = find_transform(image)
    if image.mode.startswith("I") or image.mode == "F":
        image = scale_grey(image)
    if has_opacity(image):
        rgba = to_rgba(image)
        rgba = to_srgb(rgba, profile) if profile else rgba
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    rgb = to_srgb(image, profile) if profile else image.convert("RGB")
    # What is not used any more would be applied again, or saved.
    rgb.info.pop("icc_profile", None)
    return rgb


def scale_grey(image: Image.Image) -> Image.Image:
    """Deep grey as 8-bit grey: 16-bit files arrive as I;16 or I; floats are scaled to their maximum."""
    grey = np.asarray(image, dtype=np.float64)
    top = 65535.0 if image.mode != "F" else max(float(grey.max()), 1e-12)
    if "transparency" in image.info:
        # The transparent level of a 16-bit file, which Pillow keeps and does not convert.
        grey = np.where(grey == image.info["transparency"], top, grey)
    return Image.fromarray((np.clip(grey / top, 0, 1) * 255).round().astype(np.uint8))


def has_opacity(image: Image.Image) -> bool:
    """Whether an image has an alpha channel, premultiplied or not, or a transparent colour."""
    # By its bands a LAB image would look like one.
    alpha = image.mode != "LAB" and {"A", "a"} & set(image.getbands())
    return bool(alpha) or "transparency" in image.info


def to_rgba(image: Image.Image) -> Image.Image:
    """An image of 8 bits a channel as RGBA; premultiplied alpha is divided out."""
    return (image.convert("LA") if image.mode == "La" else image).convert("RGBA")


def split_opacity(image: Image.Image) -> tuple[Image.Image, Pixels | None]:
    """The colours of an image as RGB, and its opacity uint8 [H, W]; None where it is the same everywhere.

    Colours are as stored, whatever their opacity; without one they are those of `to_rgb`.
    """
    if not has_opacity(image):
        return to_rgb(image), None
    if image.mode.startswith("I"):
        opacity = np.where(np.asarray(image) == image.info["transparency"], 0, 255).astype(np.uint8)
        colours = to_rgb(image)
    else:
        rgba = to_rgba(image)
        opacity, colours = np.asarray(rgba.getchannel("A")), rgba.convert("RGB")
    return (to_rgb(image), None) if np.ptp(opacity) == 0 else (colours, opacity)


def square(image: Image.Image, size: int) -> Image.Image:
    """Resize the short side to `size` px (antialiased Lanczos) and crop the centre square."""
    return ImageOps.fit(image, (size, size), method=Image.Resampling.LANCZOS)


def format_size(shape: Sequence[int]) -> str:
    """Width and height of what has the shape [H, W, ...], such as `640x480`."""
    return f"{shape[1]}x{shape[0]}"


def to_tensor(pixels: Pixels) -> Tensor:
    """uint8 [..., H, W, 3] to float32 [..., 3, H, W] in [0, 1]."""
    return to_channels(pixels).float().div_(255)


def to_channels(pixels: Pixels) -> Tensor:
    """uint8 [..., H, W, 3] to uint8 [..., 3, H, W], in the same memory where it can be written."""
    # Files are read and written without it.
    import torch

    return torch.from_numpy(np.require(pixels, requirements=["C", "W"])).movedim(-1, -3)


def to_pixels(tensor: Tensor) -> Pixels:
    """float [..., 3, H, W] in [0, 1], or uint8, to uint8 [..., H, W, 3], rounded and clipped."""
    import torch

    scaled = tensor.detach()
    if scaled.dtype != torch.uint8:
        scaled = scaled.float().clamp(0, 1).mul_(255).round_().to(torch.uint8)
    return np.ascontiguousarray(scaled.movedim(-3, -1).cpu().numpy())


def encode_png(pixels: Pixels | NDArray[np.uint16] | NDArray[np.bool_]) -> bytes:
    """Encode uint8 [H, W, 3] or [H, W], uint16 [H, W], or a bilevel bool [H, W], as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=6)
    return buffer.getvalue()


def encode_webp(picture: Image.Image | Pixels, quality: int | None = None) -> bytes:
    """A picture as WebP, uint8 [H, W, 3] or an image.

    Args:
        quality: 0 to 100; None for no loss, which takes longest.
    """
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(np.ascontiguousarray(picture))
    options = {"lossless": True, "quality": 100, "method": 6} if quality is None else {"quality": quality}
    stream = io.BytesIO()
    image.save(stream, "WEBP", **options)
    return stream.getvalue()


def encode_picture(picture: Pixels) -> bytes:
    """Encode uint8 [H, W, 3] as PNG, in a half to a fifth of the time of `encode_png`.

    zlib looks for runs of one byte alone: in photographs and line drawings filtered by PNG there is little
    else to be found. See `benchmarks/png.py` for sizes and times.
    """
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", compress_type=zlib.Z_RLE)
    return buffer.getvalue()


def read_pixels(content: bytes) -> NDArray:
    """Decode a PNG or JPEG as stored: uint8 [H, W, 3], uint8 or uint16 [H, W], or bool [H, W] if bilevel.

    Raises:
        LepbenchError: it is none.
    """
    with open_header(content, "a stored picture") as image:
        return np.asarray(image)
