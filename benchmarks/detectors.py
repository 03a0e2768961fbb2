"""Milliseconds of every edge detector at 512 px on one core, and a picture of what some of them find.

    python benchmarks/detectors.py
    python benchmarks/detectors.py --picture docs/detectors.png

From 8-bit pixels to a map, as a dataset is built, on a photograph. Beside each stands the library's own work
from the same pixels, the floor: kornia's `canny`; `cv2.Canny`; for sobel kornia's blur and `sobel` of the
colours; for xdog OpenCV's two blurs; for a network its bare forward pass. Networks have random weights: the
time is right, the map is not. On stdout a line each, or with --json a list of {name, ms, floor_ms, ratio}.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import skimage.data
import torch
from kornia import filters
from PIL import Image
from safetensors.torch import save_file

from lepbench.detectors import DETECTORS, Detector, NetworkDetector, SoftDetector, select_detector
from lepbench.errors import LepbenchError
from lepbench.images import Pixels, to_tensor
from lepbench.panels import Page, arrange_panels
from lepbench.sketchworld import render, scene

SIDE = 512
TILE, GAP, HEAD = 256, 8, 24
WORLD = ("test", 39)

Work = Callable[[], object]


class Timing(NamedTuple):
    name: str
    ms: float
    floor_ms: float
    ratio: float


def photograph(side: int) -> Pixels:
    """The astronaut of scikit-image."""
    return np.asarray(
        cv2.resize(skimage.data.astronaut(), (side, side), interpolation=cv2.INTER_AREA), np.uint8
    )


def kornia_canny(pixels: Pixels) -> object:
    return filters.canny(to_tensor(pixels), 0.1, 0.2)[1].numpy() > 0


def opencv_canny(pixels: Pixels) -> object:
    return [cv2.Canny(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), 100, 200) for picture in pixels]


def kornia_sobel(pixels: Pixels) -> object:
    blurred = filters.gaussian_blur2d(to_tensor(pixels), (7, 7), (0.7, 0.7))
    return (filters.sobel(blurred).amax(1) > 0.15).numpy()


def opencv_xdog(pixels: Pixels) -> object:
    maps = []
    for picture in pixels:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
        sharpened = 41 * cv2.GaussianBlur(grey, (0, 0), 0.5) - 40 * cv2.GaussianBlur(grey, (0, 0), 0.8)
        maps.append(np.tanh(10 * np.minimum(sharpened + 0.2, 0)) < -0.5)
    return maps


FLOORS: dict[str, Callable[[Pixels], object]] = {
    "canny": kornia_canny,
    "cv2-canny": opencv_canny,
    "sobel": kornia_sobel,
    "xdog": opencv_xdog,
}


def milliseconds(ours: Work, floor: Work, seconds: float) -> tuple[float, float]:
    """Median times of the two, called in turn so that both meet the same machine."""
    taken: list[list[float]] = []
    for work in (ours, floor):
        work()
    while len(taken) < 3 or np.sum(taken) < seconds:
        taken.append([])
        for work in (ours, floor):
            started = time.perf_counter()
            work()
            taken[-1].append(time.perf_counter() - started)
    mine, theirs = 1000 * np.median(taken, axis=0)
    return float(mine), float(theirs)


def contest(name: str, pixels: Pixels, folder: Path) -> tuple[Work, Work]:
    """Our map of the pixels, and the floor's."""
    kind = DETECTORS.get(name)
    if not issubclass(kind, NetworkDetector):
        detector = select_detector(name)
        return lambda: detector.of_pixels(pixels), lambda: FLOORS[name](pixels)
    network = kind.build().eval().requires_grad_(False)
    weights = folder / f"{name}.safetensors"
    save_file(network.state_dict(), weights)
    loaded = select_detector({"name": name, "weights": str(weights)})
    return lambda: loaded.of_pixels(pixels), lambda: network(to_tensor(pixels))


def timings(seconds: float) -> Iterator[Timing]:
    """A line a detector; one whose package is not installed is left out."""
    pixels = photograph(SIDE)[None]
    with tempfile.TemporaryDirectory() as folder:
        for name in DETECTORS:
            try:
                ours, floor = contest(name, pixels, Path(folder))
            except LepbenchError as error:
                print(f"{name}: {error}")
                continue
            ms, floor_ms = milliseconds(ours, floor, seconds)
            yield Timing(name, round(ms, 2), round(floor_ms, 2), round(ms / floor_ms, 3))


def columns(detectors: list[Detector], picture: Pixels) -> list[tuple[str, Pixels]]:
    """A picture and its maps, white on black, with what to call them; of soft ones the strengths too."""
    found: list[tuple[str, Any]] = [("picture", picture)]
    for detector in detectors:
        if isinstance(detector, SoftDetector):
            strength = detector.soft(to_tensor(picture[None]))[0].numpy()
            found.append((f"{detector.name}, soft", (255 * strength).astype(np.uint8)))
        found.append((detector.name, 255 * detector.of_pixels(picture[None])[0].astype(np.uint8)))
    return found


def sheet(rows: list[list[tuple[str, Pixels]]]) -> Image.Image:
    """Rows of pictures with the names of the columns above the first."""
    across, pitch = len(rows[0]), TILE + GAP
    page = Page(across * pitch - GAP, HEAD + len(rows) * pitch - GAP)
    places = arrange_panels(across * len(rows), across, (0, HEAD), (pitch, pitch))
    for place, (_, pixels) in zip(places, chain.from_iterable(rows), strict=True):
        page.place_panel(pixels, place, (TILE, TILE), sharp=True)
    for (left, _), (name, _) in zip(places, rows[0], strict=False):
        page.write_text(name, (left + 4, 4), size=14, ink=(0, 0, 0))
    return page.image


def draw(path: Path) -> None:
    """The photograph and a scene with the maps of every detector that needs no weights."""
    detectors = [select_detector(n) for n in DETECTORS if not issubclass(DETECTORS.get(n), NetworkDetector)]
    drawn = render(scene(*WORLD), TILE).image
    sheet([columns(detectors, picture) for picture in (photograph(TILE), drawn)]).save(path, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--picture", type=Path, help="draw this file and time nothing")
    parser.add_argument("--seconds", type=float, default=3, help="of each contest, at least")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if chosen.picture:
        draw(chosen.picture)
        return
    found = []
    for timing in timings(chosen.seconds):
        found.append(timing._asdict())
        if not chosen.json:
            print(f"{timing.name:<10} {timing.ms:9.2f} ms  floor {timing.floor_ms:9.2f} ms  x {timing.ratio}")
    if chosen.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
