"""Peak memory of `lepbench build-data` by the number of pictures: does it grow with the corpus?

    python benchmarks/build_memory.py --counts 2000 20000 100000

Photographs of 64 px with captions beside them, built in a process of its own with its default settings; the
peak is that of the process as the system accounts for it. On stdout, as CSV: pictures, peak in MB, seconds,
and the bytes that each picture more than in the line above has cost.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from build_data import make_photographs

SIDE = 64


def built(folder: Path, out: Path) -> tuple[float, float]:
    """Peak resident bytes and seconds of one build."""
    options = ["--size", str(SIDE), "--detector", "cv2-canny", "--out", str(out)]
    command = [sys.executable, "-m", "lepbench", "build-data", str(folder), *options]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"the build of {folder} ended with status {status}")
    # Linux counts in KiB.
    return usage.ru_maxrss * 1024, time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--counts", type=int, nargs="+", default=[2000, 20000])
    chosen = parser.parse_args()
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["pictures", "peak_mb", "seconds", "bytes_a_picture_more"])
    before: tuple[int, float] | None = None
    with tempfile.TemporaryDirectory() as place:
        for count in chosen.counts:
            folder = Path(place, str(count))
            make_photographs(folder, count, SIDE)
            peak, seconds = built(folder, Path(place, f"{count}-out"))
            more = "" if before is None else f"{(peak - before[1]) / (count - before[0]):.0f}"
            table.writerow([count, f"{peak / 2**20:.0f}", f"{seconds:.1f}", more])
            sys.stdout.flush()
            before = count, peak


if __name__ == "__main__":
    main()
