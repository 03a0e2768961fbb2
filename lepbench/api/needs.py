"""What an evaluation needs from elsewhere, fetched ahead and written into a lockfile."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from lepbench.config import load_config
from lepbench.detectors.needs import DetectorWeights
from lepbench.evaluation.lockfile import LOCKFILE, Lockfile, lock_needs, write_lockfile
from lepbench.evaluation.needs import list_needs, resolve_needs
from lepbench.evaluation.protocol import Protocol
from lepbench.methods import ModelConfig
from lepbench.needs import Need, refuse_unusable
from lepbench.progress import Progress, ignore_progress
from lepbench.run_sets.plan import make_plan
from lepbench.run_sets.runs import SetRun
from lepbench.run_sets.suites import PlannedSuite
from lepbench.suites import Suite, load_suite
from lepbench.suites.suite import SUITES
from lepbench.version import __version__

UNNAMED = "MODEL.yaml"
"""What stands for a model that is not given by its file."""


class Planned(NamedTuple):
    """An evaluation that is to be made.

    Attributes:
        model: path of its MODEL.yaml.
        suite: a name, or a folder of one.
        protocol, judges: as for `evaluate`.
    """

    model: Path
    suite: str
    protocol: str | None = None
    judges: str | None = None

    def list_needs(self) -> list[Need]:
        """What it needs from elsewhere, as far as the files that are here say; nothing is fetched.

        Raises:
            LepbenchError: a file cannot be read.
        """
        config = load_config(self.model, ModelConfig)
        return list_needs(config, load_suite(self.suite), self.protocol, self.judges)

    def write_prefetch(self) -> str:
        """The command that fetches what it needs."""
        return write_prefetch(self.model, self.suite, self.protocol, self.judges)


class PlannedSet(NamedTuple):
    """A set of runs that is to be made; `model` is the path of its SET.yaml."""

    model: Path
    suite: None = None
    protocol: None = None

    def list_needs(self) -> list[Need]:
        """What its runs need from elsewhere, each once; see `Planned.list_needs`.

        Of a suite that the set is to make, judges and detectors are not known before it is there.

        Raises:
            LepbenchError: the set cannot be read or is contradictory.
        """
        return list(dict.fromkeys(need for run in make_plan(self.model).runs for need in list_run_needs(run)))


def list_run_needs(run: SetRun) -> list[Need]:
    """What a run of a set needs from elsewhere, as far as its suite is there."""
    suite, config = run.task.suite, run.variant.config
    if isinstance(suite, PlannedSuite):
        return list(config.list_needs())
    return list_needs(config, suite, run.task.protocol)


def resolve_planned(
    planned: Planned | PlannedSet, trust: bool = False, progress: Progress = ignore_progress
) -> list[Need]:
    """All that is needed; the small files of models on the hub are fetched that say what else is needed.

    Args:
        trust: accept weights of a detector whose hash is not known.

    Raises:
        LepbenchError: a file cannot be read or fetched, or something is needed that no download brings.
    """
    needs = resolve_needs(planned.list_needs, progress)
    refuse_unusable(needs)
    return [replace(need, trust=trust) if isinstance(need, DetectorWeights) else need for need in needs]


def prefetch_evaluation(
    planned: Planned | PlannedSet,
    needs: Sequence[Need],
    out: str | Path = LOCKFILE,
    progress: Progress = ignore_progress,
) -> Lockfile:
    """Fetch what an evaluation or a set needs, and write what came into a lockfile.

    Args:
        needs: as of `resolve_planned`.

    Raises:
        LepbenchError: one cannot be fetched, or is not what its publisher states.
    """
    lock = Lockfile(
        lepbench=__version__,
        model=str(planned.model),
        suite=planned.suite,
        protocol=planned.protocol,
        sources=lock_needs(needs, progress),
    )
    write_lockfile(Path(out), lock)
    return lock


def write_prefetch(
    model: object,
    suite: str | Path | Suite | None,
    protocol: object = None,
    judges: str | Path | None = None,
) -> str:
    """The command that fetches what an evaluation needs, or a set where no suite is given."""
    is_file = isinstance(model, str | Path) and Path(model).is_file()
    place = str(model) if is_file else UNNAMED
    words = ["lepbench", "prefetch", place, *([] if suite is None else [_name_suite(suite)])]
    if protocol is not None:
        words += ["--protocol", protocol.name if isinstance(protocol, Protocol) else str(protocol)]
    if judges is not None:
        words += ["--judges", str(judges)]
    return shlex.join(words)


def _name_suite(suite: str | Path | Suite) -> str:
    """A suite that ships by its name, another by its folder."""
    if not isinstance(suite, Suite):
        return str(suite)
    return suite.name if suite.folder.parent == SUITES else str(suite.folder)
