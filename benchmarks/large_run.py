"""Memory and processor time of a run on a large suite of pictures drawn elsewhere, without judges.

    OMP_NUM_THREADS=1 python benchmarks/large_run.py --items 200 1000

For each number of items a suite of random pictures of that size is made, with the pictures themselves as
the model's, and `lepbench evaluate` scores them in a process of its own. Memory is the peak of that process;
time is its processor time a scored picture, of which there are three an item: the model's, the real one, and
the model's against the next item's sketch. That time has the start-up in it, which is the processor time of
a run of one item. Peak memory must not grow with the number of items.

Before that the steps are timed apart, each on the same few pictures.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from lepbench.detectors import Canny, Sobel
from lepbench.files import sha256_file, write_bytes, write_text
from lepbench.images import Pixels, check_rgb, encode_picture, encode_png, read_pixels, to_tensor
from lepbench.metrics.edges import edge_counts, pixels_of
from lepbench.metrics.strokes import stroke_recall
from lepbench.suites.definition import Drawn
from lepbench.suites.freeze import ItemRow, freeze_suite
from lepbench.suites.suite import name_picture

CONDITIONS = 3
DIFFERENT = 64
"""Pictures that are made; more items show them again."""
TIMED = 8
"""Pictures that a step is timed on."""
MODEL = "name: elsewhere\nmethod: {{name: precomputed, folder: {folder}}}\n"


def make_picture(number: int, size: int) -> Pixels:
    """Smooth noise, about as hard to encode as a photograph."""
    random = np.random.default_rng(number)
    coarse = random.integers(0, 256, (size // 16, size // 16, 3), dtype=np.uint8)
    grain = random.integers(-6, 7, (size, size, 3))
    image = np.clip(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC) + grain, 0, 255)
    return image.astype(np.uint8)


def make_row(number: int, size: int) -> ItemRow:
    """An item: a picture and its Canny map; pictures come again, which nothing in a run looks for."""
    maps = encode_maps(number % DIFFERENT, size)
    return {"item_id": f"item-{number:05d}", "prompt": f"picture {number}", **maps}


@cache
def encode_maps(number: int, size: int) -> dict[str, bytes]:
    """A picture, its sketch and the strokes of that, as a suite holds them."""
    pixels = make_picture(number, size)
    sketch = Canny().of_pixels(pixels[None])[0]
    strokes = sketch.astype(np.uint8)
    return {"image": encode_png(pixels), "sketch": encode_png(sketch), "strokes": encode_png(strokes)}


def make_case(folder: Path, items: int, size: int) -> None:
    """Write a suite, and a model whose pictures are the suite's own."""
    rows = [make_row(number, size) for number in range(items)]
    for row in rows:
        write_bytes(folder / "pictures" / name_picture(row["item_id"], 0), row["image"])
    freeze_suite(
        folder / "suite", rows, name="large", kind="drawings", pictures=True, version=1, size=size,
        description="random pictures", licence="none", default_items=items, detector=Canny().model_dump(),
        contour_detector=Sobel().model_dump(),
        drawn=Drawn(corpus="random", first_index=0, considered=items, left_out={}),
    )  # fmt: skip
    write_text(folder / "model.yaml", MODEL.format(folder=folder / "pictures"))


def make_case_apart(folder: Path, items: int, size: int) -> None:
    """`make_case` in a process of its own: the memory of this one would count in the peak of the run's."""
    maker = multiprocessing.get_context("spawn").Process(target=make_case, args=(folder, items, size))
    maker.start()
    maker.join()
    if maker.exitcode:
        raise SystemExit(f"no suite could be made in {folder}")


def measure_run(folder: Path, *options: str) -> tuple[float, float, float]:
    """Peak memory in GB, processor seconds and seconds on the clock of an evaluation."""
    place = tempfile.mkdtemp(dir=folder)
    command = [sys.executable, "-m", "lepbench", "evaluate", "model.yaml", "--suite", "suite"]
    command += ["--out", f"{place}/run", *options]
    environment = os.environ | {"LEPBENCH_CACHE": f"{place}/cache", "OMP_NUM_THREADS": "1"}
    started = time.perf_counter()
    child = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed in {folder}")
    return usage.ru_maxrss / 2**20, usage.ru_utime + usage.ru_stime, time.perf_counter() - started


def list_steps(folder: Path, size: int) -> dict[str, Callable[[int], Any]]:
    """What is done with a picture, as functions of its number."""
    pictures = [make_picture(number, size) for number in range(TIMED)]
    images = [to_tensor(picture[None]) for picture in pictures]
    edges = [Canny()(image) for image in images]
    strokes = [edge.to(torch.uint8) for edge in edges]
    rows = [make_row(number, size) for number in range(TIMED)]
    paths = [folder / f"{number}.png" for number in range(TIMED)]
    for path, row in zip(paths, rows, strict=True):
        write_bytes(path, row["image"])
    tolerances = (0.0, 1.0, 2.0, 3.0, pixels_of(0.0075, (size, size)))
    return {
        "check of a file": lambda n: check_rgb(paths[n]),
        "SHA-256 of a file": lambda n: sha256_file(paths[n]),
        "decoding a picture": lambda n: read_pixels(rows[n]["image"]),
        "decoding sketch and strokes": lambda n: [read_pixels(rows[n][key]) for key in ("sketch", "strokes")],
        "pixels to float": lambda n: to_tensor(pictures[n]),
        "Canny": lambda n: Canny()(images[n]),
        "edge counts": lambda n: edge_counts(edges[n], edges[n - 1], tolerances),
        "stroke recall": lambda n: stroke_recall(edges[n], strokes[n - 1], 2.0),
        "encoding a picture": lambda n: encode_picture(pictures[n]),
        "encoding at level 6 (not done)": lambda n: encode_png(pictures[n]),
    }


def print_steps(size: int) -> None:
    """Time each step in one thread."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as place:
        for name, step in list_steps(Path(place), size).items():
            step(0)
            started = time.process_time()
            for number in range(TIMED):
                step(number)
            print(f"{name:>32}{1000 * (time.process_time() - started) / TIMED:>8.1f} ms", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    print_steps(options.size)
    print(f"\n{'items':>6}{'peak GB':>10}{'ms of CPU a picture':>22}{'start-up s':>12}{'seconds':>10}")
    for items in options.items:
        with tempfile.TemporaryDirectory() as place:
            make_case_apart(Path(place), items, options.size)
            _, start_up, _ = measure_run(Path(place), "--limit", "1")
            memory, processor, clock = measure_run(Path(place))
        each = 1000 * processor / (CONDITIONS * items)
        print(f"{items:>6}{memory:>10.2f}{each:>22.1f}{start_up:>12.1f}{clock:>10.1f}", flush=True)


if __name__ == "__main__":
    main()
