"""Size and time of PNG encodings of pictures: mini pictures, photographs, flat colours and noise.

    OMP_NUM_THREADS=1 python benchmarks/png.py

Processor time of one picture, best of `--rounds`. The encodings are Pillow's levels, Pillow's `Z_RLE` (zlib
then looks for runs of one byte alone), which is `lepbench.images.encode_picture`, and the same by OpenCV.
"""

from __future__ import annotations

import argparse
import io
import time
import zlib
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import skimage.data
from large_run import make_picture
from PIL import Image

from lepbench.images import Pixels, square
from lepbench.sketchworld import render, scene

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")
Encode = Callable[[Pixels], bytes]


def encode_by_pillow(**options: int) -> Encode:
    def encode(picture: Pixels) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, format="PNG", **options)
        return buffer.getvalue()

    return encode


def encode_by_opencv(level: int, strategy: int) -> Encode:
    options = [cv2.IMWRITE_PNG_COMPRESSION, level, cv2.IMWRITE_PNG_STRATEGY, strategy]

    def encode(picture: Pixels) -> bytes:
        return cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)[1].tobytes()

    return encode


ENCODINGS: dict[str, Encode] = {
    **{f"Pillow {level}": encode_by_pillow(compress_level=level) for level in (1, 3, 4, 6, 9)},
    "Pillow Z_RLE": encode_by_pillow(compress_type=zlib.Z_RLE),
    "OpenCV 1": encode_by_opencv(1, cv2.IMWRITE_PNG_STRATEGY_DEFAULT),
    "OpenCV Z_RLE": encode_by_opencv(1, cv2.IMWRITE_PNG_STRATEGY_RLE),
}


def draw_flat(number: int, size: int) -> Pixels:
    """Outlined discs of flat colours on white, as designers draw."""
    random = np.random.default_rng(number)
    picture = np.full((size, size, 3), 255, dtype=np.uint8)
    for _ in range(14):
        centre, radius = random.integers(size // 8, size * 7 // 8, 2), int(random.integers(8, size // 4))
        place, colour = tuple(map(int, centre)), tuple(map(int, random.integers(0, 256, 3)))
        cv2.circle(picture, place, radius, colour, -1, cv2.LINE_AA)
        cv2.circle(picture, place, radius, (0, 0, 0), 5, cv2.LINE_AA)
    return picture


def list_pictures(size: int) -> dict[str, list[Pixels]]:
    """Pictures by what they are."""
    photographs = (Image.fromarray(getattr(skimage.data, name)()) for name in PHOTOGRAPHS)
    return {
        "mini, 64 px": [render(scene("test", number)).image for number in range(64)],
        "photographs": [np.asarray(square(photograph, size)) for photograph in photographs],
        "flat colours": [draw_flat(number, size) for number in range(4)],
        "large_run": [make_picture(number, size) for number in range(4)],
    }


def measure(encode: Encode, pictures: Sequence[Pixels], rounds: int) -> tuple[float, float]:
    """Kilobytes and milliseconds a picture."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        encoded = [encode(picture) for picture in pictures]
        times.append(time.process_time() - started)
    size = sum(map(len, encoded)) / len(pictures)
    return size / 1000, 1000 * min(times) / len(pictures)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    pictures = list_pictures(options.size)
    print(" " * 14 + "".join(f"{name:>22}" for name in pictures))
    for name, encode in ENCODINGS.items():
        found = (measure(encode, some, options.rounds) for some in pictures.values())
        cells = (f"{size:8.1f} kB {took:7.2f} ms" for size, took in found)
        print(f"{name:14}" + "".join(f"{cell:>22}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
