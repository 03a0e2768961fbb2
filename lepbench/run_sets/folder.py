"""The folder of a set: whose it is, what lies in it, and which files the set wrote."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lepbench.errors import LepbenchError
from lepbench.evaluation.layout import SUITES
from lepbench.files import list_visible, read_json, write_text
from lepbench.run_sets.config import RunSet
from lepbench.run_sets.plots import Plot
from lepbench.run_sets.sheets import name_sheet
from lepbench.run_sets.tasks import Task

SET = "set.json"
"""The set as it was called last, with every default, and the files of tables and plots that it wrote."""
FILES = "files"
TABLE, FRONTS = "table.csv", "fronts.csv"
SUFFIXES = {"markdown": "md", "latex": "tex", "text": "txt"}
"""Of the table of a format."""


def name_table(format: str) -> str:
    """The file of the table of a format."""
    return f"table.{SUFFIXES[format]}"


def name_plot(plot: Plot) -> str:
    """The file of a plot."""
    return f"{plot.name}.png"


def check_names(tasks: Sequence[Task], plots: Sequence[Plot]) -> None:
    """Refuse suites whose folder would be in the place of something that the set writes, or elsewhere.

    Raises:
        LepbenchError: there is one.
    """
    # Where capitals do not tell files apart, such names are one, too.
    taken = {SET, SUITES, TABLE, FRONTS, *map(name_table, SUFFIXES), *(name_plot(plot) for plot in plots)}
    taken |= {name_sheet(task.suite.name) for task in tasks}
    lower = {name.lower() for name in taken}
    for name in (task.suite.name for task in tasks):
        if name.lower() in lower:
            raise LepbenchError(f"suite {name!r} is called like a file or folder of the set", "rename it")
        if Path(name).name != name or name.startswith("."):
            raise LepbenchError(f"suite {name!r} can be no folder of the set", "rename it")


def check_set_folder(config: RunSet) -> None:
    """Refuse a folder of something else than this set, whose tables would be overwritten.

    Raises:
        LepbenchError: it holds other files, or a set of another name.
    """
    folder = config.folder
    if _is_file(folder / SET):
        if _read_set(folder).get("name") != config.name:
            raise LepbenchError(f"{folder} holds another set than {config.name!r}", "choose another 'out'")
    elif folder.is_dir() and (strangers := list_visible(folder)):
        raise LepbenchError(
            f"{folder} holds other files, such as {strangers[0].name!r}", "choose another 'out'"
        )


def _read_set(folder: Path) -> dict[str, Any]:
    known = read_json(folder / SET, "restore it, or choose another 'out'")
    return known if isinstance(known, dict) else {}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError) as error:  # too long, or with a character that no path has
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise LepbenchError(
            f"{str(path.parent)[:80]!r} can be no folder: {reason}", "choose another 'out'"
        ) from error


def claim_set_folder(config: RunSet) -> None:
    """Write the set into its folder; the files that it wrote stay its own.

    Raises:
        LepbenchError: it cannot be written.
    """
    _write_set(config, list_written(config.folder))


def list_written(folder: Path) -> list[str]:
    """The files that a set wrote into its folder when it was called last, beside those of its runs."""
    known = _read_set(folder).get(FILES) if (folder / SET).is_file() else None
    return [str(name) for name in known] if isinstance(known, list) else []


def replace_files(config: RunSet, writers: Mapping[str, Callable[[Path], object]]) -> None:
    """Write the set's tables and plots, and remove those that it wrote before and no longer writes.

    Args:
        writers: what writes each file, by its name.
    """
    folder, before = config.folder, list_written(config.folder)
    # First, so that a kill leaves no file that nothing knows of.
    _write_set(config, dict.fromkeys([*before, *writers]))
    for name, write in writers.items():
        write(folder / name)
    for name in before:
        # A name with folders in it is none that a set wrote.
        if name not in (*writers, SET) and Path(name).name == name:
            (folder / name).unlink(missing_ok=True)
    _write_set(config, writers)


def _write_set(config: RunSet, files: Iterable[str]) -> None:
    about = config.model_dump(mode="json") | {FILES: list(files)}
    write_text(config.folder / SET, json.dumps(about, indent=1, ensure_ascii=False) + "\n")
