"""One condition drawn, scored and stored by this process, as an evaluation does it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lepbench.engines import InProcess, Terms
from lepbench.evaluation.bench import Bench
from lepbench.evaluation.condition_table import ConditionTable
from lepbench.evaluation.conditions import Condition
from lepbench.evaluation.draw_conditions import ConditionDrawer
from lepbench.evaluation.drawing_job import HeldJob, draw_piece
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.sample import Batch
from lepbench.judges import Judges
from lepbench.progress import Progress, ignore_progress
from lepbench.threads import count_threads


def draw_condition(
    out: Path,
    row: Condition,
    batches: Sequence[Batch],
    judges: Judges,
    protocol: Protocol,
    progress: Progress = ignore_progress,
) -> ConditionTable:
    """The table of a condition; what a folder holds of it is kept."""
    bench = Bench({row.name: row}, {row.name: batches}, judges, protocol)
    with InProcess().start(draw_piece, HeldJob(bench), Terms(count_threads())) as team:
        return ConditionDrawer(out, bench, team, progress).draw(row)
