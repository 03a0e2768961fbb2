"""A sheet a suite: the first items' pictures by every model of a set, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lepbench.evaluation.conditions import MODEL, REAL
from lepbench.files import atomic_path
from lepbench.publishing.sheet import TILE, draw_sheet, read_strip
from lepbench.run_sets.runs import SetRun
from lepbench.run_sets.tasks import Task
from lepbench.suites import Item

WIDTH = 1640
"""Px that the pictures of an item share, unless they are wider than those of a run's own sheet."""


def name_sheet(suite: str) -> str:
    """The file of a suite's sheet."""
    return f"sheet-{suite}.jpg"


def write_sheet_of_runs(path: Path, task: Task, runs: Sequence[SetRun], count: int) -> None:
    """Write the sheet of finished runs on one suite.

    Args:
        count: of the suite's first items, each with all its variants.
    """
    conditions = [(run.folder, MODEL.name) for run in runs]
    columns = ["sketch", *(run.variant.name for run in runs)]
    if "picture" in task.suite.definition.truths:
        conditions.insert(0, (runs[0].folder, REAL.name))
        columns.insert(1, REAL.name)
    evaluated = task.suite.items(task.limit)
    items = task.suite.items(min(count, task.suite.count_originals(len(evaluated))))
    sheet = draw_sheet(
        task.suite.name,
        "the same prompt, sketch and noise by every model",
        columns,
        [read_strip(item, conditions, _name_item(item)) for item in items],
        tile=min(TILE, WIDTH // len(columns)),
        abreast=1,
    )
    with atomic_path(path) as partial:
        sheet.save(partial, format="JPEG", quality=88)


def _name_item(item: Item) -> str:
    return f"{item.level}: {item.prompt}" if item.level else item.prompt
