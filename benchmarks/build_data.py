"""Milliseconds a picture of `lepbench build-data`, against its floor, a plain loop, and `datasets.map`.

    python benchmarks/build_data.py --pictures 1024 > docs/build-data.csv

Photographs of scikit-image, each with its own noise, as JPEG files (quality 95) of 512 and of 2048 px with
captions beside them, become triplets of 512 px with the edges of OpenCV's Canny, in one process with one
thread, the ways taking turns; the least of the rounds is told:

    floor      the library calls that no build of these triplets can do without, on bytes at hand: decode,
               and where the size differs area resize, JPEG and its pixels again; grey, Canny, bilevel PNG,
               SHA-256, a Parquet row
    ours       a whole build, from listing the folder to the data card
    ours_2     the same with two workers
    plain      the loop one writes: Pillow opens and shrinks (Lanczos), OpenCV finds edges, Pillow writes PNG
    map        `datasets.Dataset.map` over the files with the same calls as the floor, then `.to_parquet`

`--ways floor ours ours_2 --pictures 20000 --sides 512 --rounds 1` is the build of a large corpus.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image
from skimage import data

from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.data.picture import encode_picture
from lepbench.data.schema import ROW_GROUP, make_arrow_schema
from lepbench.engines import InProcess, Processes

PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket")
SIZE = 512
LARGE = 5000
LOW, HIGH = 100, 200


def make_photographs(folder: Path, count: int, side: int) -> None:
    """Square JPEG files with captions beside them."""
    folder.mkdir()
    random = np.random.default_rng(0)
    grain = random.normal(0, 3, (2 * side, 2 * side, 3)).astype(np.float32)
    plain = []
    for name in PHOTOGRAPHS:
        picture = np.asarray(getattr(data, name)())
        short = min(picture.shape[:2])
        plain.append(cv2.resize(picture[:short, :short], (side, side), interpolation=cv2.INTER_CUBIC))
    for number in range(count):
        x, y = random.integers(0, side, 2)
        noisy = plain[number % len(plain)] + grain[y : y + side, x : x + side]
        content = encode_picture(np.clip(noisy, 0, 255).astype(np.uint8), "JPEG")
        (folder / f"{number:05d}.jpg").write_bytes(content)
        (folder / f"{number:05d}.txt").write_text(f"photograph number {number}")


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jpg"))


def settings(folder: Path) -> BuildConfig:
    detector = {"name": "cv2-canny", "low": LOW, "high": HIGH}
    source = {"name": "folder", "path": folder}
    # Of a small corpus every worker gets some shards; a large one has them as they are by default.
    shards = {} if len(files(folder)) >= LARGE else {"shard_rows": 64}
    return BuildConfig.model_validate({"source": source, "detector": detector, "size": SIZE, **shards})


def triplet(content: bytes) -> tuple[bytes, bytes]:
    """Stored picture and edges by the quickest calls there are."""
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    if pixels.shape[0] != SIZE:
        small = cv2.resize(pixels, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        content = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    edges = cv2.Canny(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), LOW, HIGH)
    return content, cv2.imencode(".png", edges, [cv2.IMWRITE_PNG_BILEVEL, 1])[1].tobytes()


def row(image: bytes, edges: bytes, text: str, digest: str) -> dict[str, Any]:
    """A row of our columns; those that cost nothing to find are left empty."""
    empty = dict.fromkeys(make_arrow_schema().names)
    pictures = {"image": {"bytes": image, "path": None}, "conditioning_image": {"bytes": edges, "path": None}}
    return empty | pictures | {"text": text, "sha256": digest, "flags": []}


def floor(folder: Path, out: Path) -> float:
    """Seconds of the library calls alone; files are read before."""
    contents = [path.read_bytes() for path in files(folder)]
    schema = make_arrow_schema()
    started = time.perf_counter()
    with pq.ParquetWriter(out / "floor.parquet", schema, compression="none") as writer:
        for start in range(0, len(contents), ROW_GROUP):
            rows = [
                row(*triplet(content), "a caption", hashlib.sha256(content).hexdigest())
                for content in contents[start : start + ROW_GROUP]
            ]
            writer.write_table(pa.Table.from_pylist(rows, schema))
    return time.perf_counter() - started


def timed(work: Callable[[Path, Path], object]) -> Callable[[Path, Path], float]:
    def timer(folder: Path, out: Path) -> float:
        started = time.perf_counter()
        work(folder, out)
        return time.perf_counter() - started

    return timer


def ours(folder: Path, out: Path) -> object:
    return build_triplets(settings(folder), out / "ours", engine=InProcess())


def ours_2(folder: Path, out: Path) -> object:
    return build_triplets(settings(folder), out / "ours-2", engine=Processes(2))


def plain(folder: Path, out: Path) -> object:
    """What a script does."""
    for path in files(folder):
        image = Image.open(path).convert("RGB").resize((SIZE, SIZE), Image.Resampling.LANCZOS)
        edges = cv2.Canny(cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2GRAY), LOW, HIGH)
        image.save(out / f"{path.stem}.png")
        Image.fromarray(edges).save(out / f"{path.stem}-edges.png")
        shutil.copy(path.with_suffix(".txt"), out / path.with_suffix(".txt").name)
    return None


def mapped(folder: Path, out: Path) -> object:
    """What `datasets` does with the same calls."""
    import datasets

    datasets.disable_progress_bars()

    def work(some: dict[str, list[Any]]) -> dict[str, list[Any]]:
        made = [triplet(Path(path).read_bytes()) for path in some["path"]]
        images, edges = (
            [{"bytes": content, "path": None} for content in column] for column in zip(*made, strict=True)
        )
        texts = [Path(path).with_suffix(".txt").read_text() for path in some["path"]]
        return {"image": images, "conditioning_image": edges, "text": texts}

    kinds = datasets.Features(
        {
            "image": datasets.Image(),
            "conditioning_image": datasets.Image(),
            "text": datasets.Value("string"),
        }
    )
    paths = datasets.Dataset.from_dict({"path": [str(path) for path in files(folder)]})
    made = paths.map(work, batched=True, batch_size=64, remove_columns=["path"], features=kinds)
    return made.to_parquet(out / "map.parquet")


WAYS: dict[str, Callable[[Path, Path], float]] = {
    "floor": floor,
    "ours": timed(ours),
    "ours_2": timed(ours_2),
    "plain": timed(plain),
    "map": timed(mapped),
}


def measure(ways: list[str], side: int, count: int, rounds: int) -> dict[str, float]:
    """Milliseconds a picture of every way."""
    best = dict.fromkeys(ways, float("inf"))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "photographs")
        make_photographs(folder, count, side)
        for number in range(rounds):
            for name in ways:
                out = Path(place, f"out-{name}-{number}")
                out.mkdir()
                best[name] = min(best[name], 1000 * WAYS[name](folder, out) / count)
                shutil.rmtree(out)
            print(f"{side} px, round {number + 1} of {rounds}: {best}", file=sys.stderr, flush=True)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sides", type=int, nargs="+", default=[512, 2048])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(
        ["side_px", "pictures", *(f"{name}_ms" for name in chosen.ways), "floor_ratio", "workers_ratio"]
    )
    for side in chosen.sides:
        # As much work at either size.
        count = max(64, chosen.pictures * SIZE // side)
        found = measure(chosen.ways, side, count, chosen.rounds)
        ratios = [ratio(found, "floor", "ours"), ratio(found, "ours", "ours_2")]
        table.writerow([side, count, *(f"{ms:.2f}" for ms in found.values()), *ratios])


def ratio(found: dict[str, float], one: str, other: str) -> str:
    """How many times as long one takes as the other; empty where one of them was not run."""
    return f"{found[one] / found[other]:.2f}" if {one, other} <= found.keys() else ""


if __name__ == "__main__":
    main()
