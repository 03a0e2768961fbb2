"""Memory and processor time of a run on a large suite of pictures drawn elsewhere, without judges.

    python benchmarks/large_run.py --items 200 1000 --size 512

For each number of items a suite of random pictures of that size is made, with the pictures themselves as
the model's, and `lepbench evaluate` scores them in a process of its own. Memory is the peak of that process;
time is its processor time a scored picture, of which there are three an item: the model's, the real one, and
the model's against the next item's sketch. Peak memory must not grow with the number of items.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from lepbench.detectors import Canny, Sobel
from lepbench.files import write_bytes, write_text
from lepbench.images import encode_png
from lepbench.suites.freeze import ItemRow, freeze_suite
from lepbench.suites.suite import Drawn, name_picture

CONDITIONS = 3
MODEL = "name: elsewhere\nmethod: {{name: precomputed, folder: {folder}}}\n"


def make_row(number: int, size: int) -> ItemRow:
    """An item: smooth noise, about as hard to encode as a photograph, and its Canny map."""
    random = np.random.default_rng(number)
    coarse = random.integers(0, 256, (size // 16, size // 16, 3), dtype=np.uint8)
    grain = random.integers(-6, 7, (size, size, 3))
    image = np.clip(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC) + grain, 0, 255)
    pixels = image.astype(np.uint8)
    sketch = Canny().of_pixels(pixels[None])[0]
    return {
        "item_id": f"item-{number:05d}",
        "prompt": f"picture {number}",
        "image": encode_png(pixels),
        "sketch": encode_png(sketch),
        "strokes": encode_png(sketch.astype(np.uint8)),
    }


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


def measure_run(folder: Path) -> tuple[float, float, float]:
    """Peak memory in GB, processor seconds and seconds on the clock of an evaluation."""
    command = [sys.executable, "-m", "lepbench", "evaluate", "model.yaml", "--suite", "suite", "--out", "run"]
    environment = os.environ | {"LEPBENCH_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    started = time.perf_counter()
    child = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed in {folder}")
    return usage.ru_maxrss / 2**20, usage.ru_utime + usage.ru_stime, time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    print(f"{'items':>6}{'peak GB':>10}{'ms of CPU a picture':>22}{'seconds':>10}")
    for items in options.items:
        with tempfile.TemporaryDirectory() as place:
            make_case(Path(place), items, options.size)
            memory, processor, clock = measure_run(Path(place))
        each = 1000 * processor / (CONDITIONS * items)
        print(f"{items:>6}{memory:>10.2f}{each:>22.1f}{clock:>10.1f}", flush=True)


if __name__ == "__main__":
    main()
