"""ICC profiles made by the formulas of their standards, and the same conversions written out."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

D65, D50 = (0.3127, 0.3290), (0.9642, 1.0, 0.8249)
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
DISPLAY_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE_RGB = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
Primaries = tuple[tuple[float, float], ...]


def to_xyz(primaries: Primaries) -> NDArray[np.float64]:
    """The matrix from linear RGB with white D65 to XYZ (Lindbloom, RGB/XYZ matrices)."""
    columns = np.array([(x / y, 1.0, (1 - x - y) / y) for x, y in primaries]).T
    white = np.array((D65[0] / D65[1], 1.0, (1 - D65[0] - D65[1]) / D65[1]))
    return columns * np.linalg.solve(columns, white)


def decode_srgb(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """IEC 61966-2-1: values in [0, 1] to linear light."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def encode_srgb(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse, clipped to [0, 1]."""
    clipped = np.clip(linear, 0, 1)
    return np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055)


def convert(pixels: NDArray[np.uint8], primaries: Primaries, gamma: float | None) -> NDArray[np.float64]:
    """RGB of a space with white D65 to sRGB, in levels; `gamma` None is the curve of sRGB."""
    values = pixels / 255.0
    linear = decode_srgb(values) if gamma is None else values**gamma
    matrix = np.linalg.solve(to_xyz(SRGB), to_xyz(primaries))
    return np.asarray(255 * encode_srgb(linear @ matrix.T))


def _fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _curve(gamma: float | None) -> bytes:
    if gamma is not None:
        return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    table = np.round(65535 * decode_srgb(np.linspace(0, 1, 1024))).astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", len(table)) + table.tobytes()


def _profile(kind: bytes, space: bytes, pcs: bytes, tags: dict[bytes, bytes]) -> bytes:
    place = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", place + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = bytearray(128)
    header[8:12], header[12:16], header[16:20], header[20:24] = b"\x02\x40\0\0", kind, space, pcs
    header[36:40], header[68:80] = b"acsp", _fixed(*D50)
    header[0:4] = struct.pack(">I", place + len(body))
    return bytes(header) + table + body


def _common(name: str) -> dict[bytes, bytes]:
    text = name.encode() + b"\0"
    described = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
    return {b"desc": described, b"cprt": b"text\0\0\0\0none\0", b"wtpt": b"XYZ \0\0\0\0" + _fixed(*D50)}


def rgb_profile(primaries: Primaries, gamma: float | None = None, name: str = "made") -> bytes:
    """A matrix profile (ICC.1:2001-04) of an RGB space with white D65; `gamma` None is the curve of sRGB."""
    white = to_xyz(SRGB) @ np.ones(3)
    scale = np.diag((BRADFORD @ D50) / (BRADFORD @ white))
    adapted = np.linalg.inv(BRADFORD) @ scale @ BRADFORD @ to_xyz(primaries)
    tags = _common(name)
    for channel, column in zip(b"rgb", adapted.T, strict=True):
        tags[bytes((channel,)) + b"XYZ"] = b"XYZ \0\0\0\0" + _fixed(*column)
        tags[bytes((channel,)) + b"TRC"] = _curve(gamma)
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


def grey_profile(gamma: float | None) -> bytes:
    """A profile of grey with one curve."""
    return _profile(b"mntr", b"GRAY", b"XYZ ", _common("grey") | {b"kTRC": _curve(gamma)})


def cmyk_profile() -> bytes:
    """A profile of inks by a table of two steps each, of lightness 100 (1 - k) (1 - (c + m + y) / 3)."""
    corners = np.stack(np.meshgrid(*[[0, 1]] * 4, indexing="ij"), -1).reshape(-1, 4)
    light = (1 - corners[:, 3]) * (1 - corners[:, :3].mean(1))
    lab = np.stack([light * 255, np.full(16, 128), np.full(16, 128)], -1).round().astype(np.uint8)
    ramp = bytes(range(256))
    header = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table = header + ramp * 4 + lab.tobytes() + ramp * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", _common("inks") | {b"A2B0": table})
