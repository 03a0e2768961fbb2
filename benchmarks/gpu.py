"""Seconds, memory and pictures a second of guided drawing on a GPU, as a table; `gpu.sh` calls it.

    python benchmarks/gpu.py --out docs/gpu.csv --minutes 7.5
    python benchmarks/gpu.py --rehearse --out /tmp/gpu.csv

Stable Diffusion 1.5 at 512 px and SDXL at 1024 px, random weights in bfloat16, the paper's predictor,
batches of 1 to 8, without and with compiled blocks. A line a batch size; all are written at the start as
`skipped`, and anew after each measurement. Figures are of the whole batch:

    status           measured, skipped, out of time, out of memory, or what failed; earlier figures stay
    step_...         a guided step of DDIM under classifier-free guidance
    picture_...      pictures by the preset `fast`: sketches encoded, 20 steps, decoded, 8 bits a channel
    ..._s            seconds, the median of `..._rounds` after a warm-up
    ..._gflop        operations that are counted (`floors.py`), in 10^9
    ..._floor_s      their time at half of the GPU's dense bf16 peak; empty where the peak is not known
    ..._ratio        seconds to that floor
    ..._peak_gib     the most memory that was allocated, weights included; empty on a CPU
    pictures_per_s   by `picture_s`
    scored_pictures_per_s   drawn, scored by the suite's edge detector and stored as `evaluate` does,
                     which encodes and writes a batch while it draws the next

With --rehearse tiny networks run on a CPU, uncompiled; one batch is too large for any memory, and the last
group has no time.
"""

from __future__ import annotations

import argparse
import gc
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from gpu_case import Drawing, Scale, name_device

from lepbench.files import format_csv, write_text

TIMED = [
    f"{work}_{figure}"
    for work in ("step", "picture")
    for figure in ("s", "floor_s", "ratio", "peak_gib", "gflop", "rounds")
]
COLUMNS = ["device", "torch", "backbone", "size", "dtype", "compiled", "batch", "status"]
COLUMNS += [*TIMED, "pictures_per_s", "scored_pictures_per_s"]
SKIPPED = "skipped"
NO_ROOM = (torch.OutOfMemoryError, MemoryError)
TOO_LARGE = 2**60
"""A batch that no memory holds."""


class Group(NamedTuple):
    """Batch sizes of one backbone, and the share of all time at which they end."""

    backbone: str
    compiled: bool
    batches: tuple[int, ...]
    until: float


SIZES = (1, 2, 4, 8)
PLAN = (
    Group("sd15", False, SIZES, 0.15),
    Group("sdxl", False, SIZES, 0.42),
    Group("sd15", True, SIZES, 0.71),
    Group("sdxl", True, SIZES, 1.0),
)
REHEARSAL = (
    Group("sd15", False, (1, 2), 1.0),
    Group("sdxl", True, (1, TOO_LARGE), 1.0),
    Group("sd15", True, (1,), 0.0),
)


class OutOfTime(BaseException):
    """A measurement's time is up; no `Exception`, which compilers and runs catch."""


@contextmanager
def limit_time(allowed: float) -> Iterator[None]:
    """A block that is broken off after so many seconds; in the main thread alone.

    Raises:
        OutOfTime: it was.
    """

    def stop(number: int, frame: object) -> None:
        raise OutOfTime

    handler = signal.signal(signal.SIGALRM, stop)
    before = signal.setitimer(signal.ITIMER_REAL, max(allowed, 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)
        signal.signal(signal.SIGALRM, handler)


class Table:
    """The lines of a plan, in a file that is written anew at every change."""

    def __init__(self, path: Path, plan: tuple[Group, ...], scale: Scale) -> None:
        self.path, common = path, {"device": name_device(scale.device), "torch": torch.__version__}
        self.rows: dict[tuple[Group, int], dict[str, Any]] = {
            (group, batch): {
                **common,
                "backbone": group.backbone,
                "size": scale.sizes[group.backbone],
                "dtype": "bfloat16",
                "compiled": group.compiled,
                "batch": batch,
                "status": SKIPPED,
            }
            for group in plan
            for batch in group.batches
        }
        self.write()

    def update(self, group: Group, batch: int, **figures: Any) -> None:
        """Set figures of a line, and tell them."""
        self.rows[group, batch].update(figures)
        self.write()
        kind = "compiled" if group.compiled else "not compiled"
        told = ", ".join(f"{name} {show(value)}" for name, value in figures.items() if value is not None)
        print(f"{group.backbone}, {kind}, batch {batch}: {told}", flush=True)

    def write(self) -> None:
        """Write the file atomically."""
        lines = ([show(row.get(name)) for name in COLUMNS] for row in self.rows.values())
        write_text(self.path, format_csv(COLUMNS, lines))


def show(value: Any) -> str:
    """Four digits of a fraction, nothing for None."""
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) and abs(value) < 1e4 else str(value)


def measure_group(group: Group, scale: Scale, table: Table, *, ends: float, folder: Path) -> None:
    """Measure the batch sizes of a group in turn, until the clock is at `ends`."""
    drawing, least = None, 0.0
    for batch in group.batches:
        if time.monotonic() + least >= ends:
            return
        status = "measured"
        try:
            with limit_time(ends - time.monotonic()):
                drawing = drawing or Drawing(group.backbone, group.compiled, scale, folder)
                for figures in drawing.measure(batch):
                    table.update(group, batch, **figures)
        except OutOfTime:
            status = "out of time"
        except NO_ROOM:
            status = "out of memory"
        except Exception as error:  # whatever one batch cannot do: the others are still to be measured
            status = f"failed: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        table.update(group, batch, status=status)
        free_memory()
        if status == "out of time":
            return
        # A larger batch takes no less: once alone, and two that are scored.
        least = 3 * table.rows[group, batch].get("picture_s", 0.0)


def free_memory() -> None:
    """Give back what a batch held."""
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def measure_plan(plan: tuple[Group, ...], scale: Scale, out: Path, minutes: float) -> Table:
    """Measure every group of a plan in `minutes`, and write the table."""
    started, table = time.monotonic(), Table(out, plan, scale)
    with tempfile.TemporaryDirectory() as folder:
        for group in plan:
            ends = started + 60 * minutes * group.until
            measure_group(group, scale, table, ends=ends, folder=Path(folder))
            # Compiled forms of one backbone are of no use to the next, and count against a limit.
            torch.compiler.reset()
            free_memory()
    return table


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "gpu.csv")
    parser.add_argument("--minutes", type=float, default=7.5, help="for everything")
    parser.add_argument("--rehearse", action="store_true", help="tiny networks on a CPU")
    chosen = parser.parse_args()
    if chosen.rehearse:
        sizes = {"sd15": 64, "sdxl": 128}
        scale = Scale(torch.device("cpu"), sizes, tiny=True, hidden=(64, 32), rounds=2, seconds=1.0)
    elif not torch.cuda.is_available():
        raise SystemExit("torch sees no GPU: run it on a machine with one, or with --rehearse")
    else:
        sizes = {"sd15": 512, "sdxl": 1024}
        scale = Scale(torch.device("cuda"), sizes, False, (512, 256, 128, 64), rounds=10, seconds=5.0)
    # Compilation for a CPU takes minutes, and tells nothing of a GPU's.
    uncompiled = torch.compiler.set_stance("force_eager") if chosen.rehearse else nullcontext()
    with uncompiled:
        measure_plan(REHEARSAL if chosen.rehearse else PLAN, scale, chosen.out, chosen.minutes)


if __name__ == "__main__":
    main()
