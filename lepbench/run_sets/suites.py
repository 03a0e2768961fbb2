"""The suites of a set, loaded; one that is still to be made is stood in for by its first item."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.evaluation.layout import SUITES
from lepbench.run_sets.config import RunSet
from lepbench.run_sets.follow import Follow
from lepbench.run_sets.suite_config import SuiteEntry
from lepbench.suite_sources import SuiteSource, write_suite
from lepbench.suite_sources.recognise import list_differences
from lepbench.suite_sources.write import list_leftovers
from lepbench.suites import Items, Suite, load_suite
from lepbench.suites.definition import DEFINITION


class PlannedSuite(Suite):
    """A suite that is to be made: name, truths and levels are its own, and of its items it has the first.

    So protocols, tables and plots can be checked against it, at the cost of one item. It lies in a temporary
    folder. Its hash and number of items say nothing of the suite.

    Args:
        folder: where the suite itself will lie.

    Raises:
        LepbenchError: not one item can be made.
    """

    def __init__(self, name: str, source: SuiteSource, folder: Path) -> None:
        self.source, self.home = source, folder
        self._place = tempfile.TemporaryDirectory(prefix="lepbench-")
        write_suite(source.model_copy(update={"items": 1}), Path(self._place.name), name=name)
        super().__init__(Path(self._place.name))

    def items(self, limit: int | None = None) -> Items:
        """Those that it has, whatever the limit."""
        return self.take(len(self))

    def make(self, follow: Follow) -> None:
        """Make the suite itself.

        Raises:
            LepbenchError: too few items can be used, or the folder cannot be written.
        """
        with follow(f"suite {self.name}") as progress:
            write_suite(self.source, self.home, progress, self.name)


def load_suites(config: RunSet) -> list[Suite]:
    """Every suite of a set; those that are missing and that it makes as `PlannedSuite`.

    Raises:
        LepbenchError: there is no such suite, one cannot be made, or a folder holds another than its entry
            describes.
    """
    entries = [entry for entry in config.suites if isinstance(entry, SuiteEntry)]
    _refuse_twins([entry.name for entry in entries])
    return [
        _find_made(entry, config.folder / SUITES / entry.name)
        if isinstance(entry, SuiteEntry)
        else load_suite(entry)
        for entry in config.suites
    ]


def _refuse_twins(names: Sequence[str]) -> None:
    # Where capitals do not tell files apart, two such suites would share a folder.
    lower = [name.lower() for name in names]
    twice = next((name for name in names if lower.count(name.lower()) > 1), None)
    if twice is not None:
        raise LepbenchError(f"the set makes two suites called {twice!r}", "rename one")


def _find_made(entry: SuiteEntry, folder: Path) -> Suite:
    source = entry.find_source()
    if not (folder / DEFINITION).is_file():
        _require_free(folder)
        try:
            return PlannedSuite(entry.name, source, folder)
        except LepbenchError as error:
            raise LepbenchError(f"suite {entry.name!r}: {error}") from error
    suite = Suite(folder)
    try:
        differing = list_differences(suite.definition, source, entry.name)
    except LepbenchError as error:
        raise LepbenchError(f"suite {entry.name!r}: {error}") from error
    if differing:
        raise LepbenchError(
            f"{folder} holds another suite than the set describes (differs in {', '.join(differing)})",
            "rename the suite in the set, or delete that folder",
        )
    return suite


def _require_free(folder: Path) -> None:
    try:
        list_leftovers(folder)
    except LepbenchError as error:
        raise LepbenchError(
            f"{folder} holds other files than a suite's", "rename the suite in the set, or delete that folder"
        ) from error
