"""A build killed at random moments, again and again, against one that was left alone.

    python benchmarks/build_kills.py --kills 20

Both are run as a person would, `lepbench build-data` in a process of its own with two workers; a killed one
is killed with all its workers (SIGKILL), after a time drawn anew, and started again. On stdout, as JSON:
kills, builds that ended before theirs, the hash of each data set, and whether all files were equal each time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def command(out: Path, limit: int) -> list[str]:
    options = ["--limit", str(limit), "--workers", "2", "--duplicates", "near", "--out", str(out)]
    return [sys.executable, "-m", "lepbench", "build-data", "sketchworld", *options]


def run(out: Path, limit: int, seconds: float | None) -> bool:
    """Build, or kill the build after so many seconds; whether it came to its end."""
    process = subprocess.Popen(
        command(out, limit),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return False


def digest(out: Path) -> str:
    """Hash over the names and bytes of all files but locks."""
    files = sorted(path for path in out.rglob("*") if path.is_file() and not path.name.startswith("."))
    running = hashlib.sha256()
    for path in files:
        running.update(str(path.relative_to(out)).encode() + b"\0" + path.read_bytes())
    return running.hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--limit", type=int, default=8192, help="scenes")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    moments = random.Random(chosen.seed)
    with tempfile.TemporaryDirectory() as folder:
        alone, killed = Path(folder, "alone"), Path(folder, "killed")
        started = time.monotonic()
        run(alone, chosen.limit, None)
        whole, equal = time.monotonic() - started, True
        print(f"left alone: {whole:.0f} s", file=sys.stderr)
        hits = ends = 0
        while hits < chosen.kills:
            # Some kills come while things are being imported, some in the middle, some at the end.
            if run(killed, chosen.limit, moments.uniform(0, 0.5 * whole)):
                # It was done before it could be killed: it must be right, and the next one begins anew.
                ends += 1
                equal = equal and digest(alone) == digest(killed)
                shutil.rmtree(killed)
            else:
                hits += 1
            print(f"{hits} killed, {ends} ended before", file=sys.stderr)
        run(killed, chosen.limit, None)
        told = [json.loads((out / "manifest.json").read_text())["sha256"] for out in (alone, killed)]
        equal = equal and digest(alone) == digest(killed)
    print(json.dumps({"kills": hits, "ends": ends, "sha256": told, "equal": equal}))


if __name__ == "__main__":
    main()
