"""Corpora of the smallest size, written as their authors lay them out."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from PIL import Image

Lines = Sequence[np.ndarray]


def lines_of(number: int, count: int = 3) -> list[np.ndarray]:
    """A drawing of a few strokes within 0..255, from a number."""
    rng = np.random.default_rng(number)
    return [rng.integers(0, 256, (int(rng.integers(2, 9)), 2)).astype(np.float64) for _ in range(count)]


def doodle(word: str, key: str, lines: Lines, recognized: bool = True, times: bool = False) -> str:
    drawing = [[line[:, 0].tolist(), line[:, 1].tolist(), *([[0.0] * len(line)] * times)] for line in lines]
    return json.dumps({"word": word, "key_id": key, "recognized": recognized, "drawing": drawing})


def quickdraw(folder: Path, words: Sequence[str] = ("cat", "ice cream"), each: int = 4) -> Path:
    """A file a word."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, word in enumerate(words):
        made = [doodle(word, f"{number}{i:03d}", lines_of(100 * number + i)) for i in range(each)]
        (folder / f"{word}.ndjson").write_text("\n".join(made) + "\n")
    return folder


def svg(lines: Lines, attributes: str = 'viewBox="0 0 800 800"', group: str = "") -> str:
    paths = "".join(
        f'<path d="M{" L".join(f"{float(x)!r} {float(y)!r}" for x, y in line)}"/>' for line in lines
    )
    pen = 'fill="none" stroke="black" stroke-linecap="round"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}><g {pen} {group}>{paths}</g></svg>'


def points_of(lines: Lines) -> np.ndarray:
    """Points [N, 3] with FS-COCO's pen states."""
    rows = [np.column_stack([line, [0] * (len(line) - 1) + [1]]) for line in lines]
    points = np.concatenate(rows)
    points[-1, 2] = 2
    return points


def jpeg(width: int, height: int, number: int = 0) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    Image.fromarray(pixels).resize((width, height)).save(buffer, format="JPEG")
    return buffer.getvalue()


def fscoco(folder: Path, users: int = 10, each: int = 2) -> Path:
    """Ten users with two sketches each, on photographs of 320 x 256 px."""
    for user in range(users):
        for number in range(each):
            name = f"{user:04d}{number}"
            parts = [folder / kind / str(user) for kind in ("images", "vector_sketches", "text")]
            for part in parts:
                part.mkdir(parents=True, exist_ok=True)
            (parts[0] / f"{name}.jpg").write_bytes(jpeg(320, 256, 10 * user + number))
            np.save(parts[1] / f"{name}.npy", points_of(lines_of(10 * user + number)))
            (parts[2] / f"{name}.txt").write_text(f"a scene of {user}\n number {number}\n")
    return folder


coordinates = st.floats(0, 800, allow_nan=False, width=32)
polyline = st.lists(st.tuples(coordinates, coordinates), min_size=2, max_size=6).map(np.array)
polylines = st.lists(polyline, min_size=1, max_size=5)
