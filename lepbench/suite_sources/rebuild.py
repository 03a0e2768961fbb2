"""Suites that ship, made anew from their recipes."""

from __future__ import annotations

from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.files import list_visible
from lepbench.progress import Progress
from lepbench.registry import suggest_name
from lepbench.suite_sources.emoji import EMOJI_SUITES
from lepbench.suite_sources.sketchworld import RECIPES, make_suite
from lepbench.suite_sources.write import write_suite
from lepbench.suites.definition import SuiteDefinition


def rebuild_suite(name: str, folder: Path, progress: Progress) -> SuiteDefinition:
    """Make a shipped suite anew from its recipe.

    Args:
        progress: called with (stage, done, total).

    Raises:
        LepbenchError: no recipe has that name, or the folder holds files or cannot be written.
    """
    if name not in EMOJI_SUITES and name not in RECIPES:
        names = [*RECIPES, *EMOJI_SUITES]
        raise LepbenchError(f"no suite recipe {name!r}", suggest_name(name, names))
    if folder.is_dir() and list_visible(folder):
        raise LepbenchError(f"{folder} is not empty", "choose another --out")
    if name in EMOJI_SUITES:
        return write_suite(EMOJI_SUITES[name], folder, progress, name).definition
    return make_suite(RECIPES.get(name), folder, progress)
