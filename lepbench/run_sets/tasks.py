"""What the models of a set are scored on: a suite with the protocol that scores it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.evaluation.judges import check_judges
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.schema import make_schema
from lepbench.run_sets.config import RunSet
from lepbench.run_sets.suites import load_suites
from lepbench.suites import Suite


@dataclass(frozen=True)
class Task:
    """A suite, and the protocol that scores it.

    Attributes:
        limit: items from the front of the suite, each with all its variants; None for its default number.
    """

    suite: Suite
    protocol: Protocol
    limit: int | None = None

    @property
    def name(self) -> str:
        """Its folder, below that of the set."""
        return f"{self.suite.name}/{self.protocol.name}"


def list_tasks(config: RunSet, *, at_most: bool = False) -> list[Task]:
    """Every suite with its own protocol, or with each of those that are given.

    Args:
        at_most: of a suite that holds fewer items than the set's limit all are taken.

    Raises:
        LepbenchError: there is no such suite or protocol, they do not fit, a judge's file is missing, the
            suite holds fewer items, or two have one name.
    """
    choices: Sequence[str | None] = config.protocols or (None,)
    tasks = [
        _make_task(config, suite, choice, at_most) for suite in load_suites(config) for choice in choices
    ]
    names = [task.name for task in tasks]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise LepbenchError(f"the set has {twice!r} twice", "leave one out, or rename a suite or protocol")
    return tasks


def _make_task(config: RunSet, suite: Suite, choice: str | Path | None, at_most: bool) -> Task:
    limit = config.limit
    if limit is not None and at_most:
        limit = min(limit, suite.count_originals(len(suite)))
    suite.items(limit)
    protocol = select_protocol(suite, choice, judges=config.judges, reference=config.statistics)
    make_schema(protocol)
    check_judges(protocol)
    return Task(suite, protocol, limit)
