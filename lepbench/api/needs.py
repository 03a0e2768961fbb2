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

    def resolve_needs(self, trust: bool = False, progress: Progress = ignore_progress) -> list[Need]:
        """All that it needs; the small files of models on the hub are fetched that say what else is needed.

        Args:
            trust: accept weights of a detector whose hash is not known.

        Raises:
            LepbenchError: a file cannot be read or fetched, or something is needed that no download brings.
        """
        needs = resolve_needs(self.list_needs, progress)
        refuse_unusable(needs)
        return [replace(need, trust=trust) if isinstance(need, DetectorWeights) else need for need in needs]

    def write_prefetch(self) -> str:
        """The command that fetches what it needs."""
        return write_prefetch(self.model, self.suite, self.protocol, self.judges)


def prefetch_evaluation(
    planned: Planned,
    needs: Sequence[Need],
    out: str | Path = LOCKFILE,
    progress: Progress = ignore_progress,
) -> Lockfile:
    """Fetch what an evaluation needs, and write what came into a lockfile.

    Args:
        needs: as of `Planned.resolve_needs`.

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
    model: object, suite: str | Path | Suite, protocol: object = None, judges: str | Path | None = None
) -> str:
    """The command that fetches what an evaluation needs."""
    is_file = isinstance(model, str | Path) and Path(model).is_file()
    place = str(model) if is_file else UNNAMED
    words = ["lepbench", "prefetch", place, _name_suite(suite)]
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
