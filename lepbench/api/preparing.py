"""What an evaluation is of, from what a caller gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from lepbench.api.counts import require_whole
from lepbench.api.model import ModelLike, read_model
from lepbench.api.needs import write_prefetch
from lepbench.api.progress import ShowProgress, follow_progress
from lepbench.engines import choose_engine
from lepbench.evaluation.lockfile import list_revisions, read_lockfile, require_locked
from lepbench.evaluation.needs import list_needs, require_here
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.fetch import is_offline
from lepbench.hub import pin_revisions
from lepbench.methods import ModelConfig
from lepbench.suites import Suite, load_suite
from lepbench.trackers import check_tracker
from lepbench.trust import trusting_code

SuiteLike = str | Path | Suite


@contextmanager
def pinning(lock: str | Path | None) -> Iterator[None]:
    """A block in which models of the hub are those of a lockfile, if one is given.

    Raises:
        LepbenchError: it cannot be read, or files here are missing or others.
    """
    if lock is None:
        yield
        return
    found = read_lockfile(Path(lock))
    require_locked(found, write_prefetch(found.model, found.suite, found.protocol))
    with pin_revisions(list_revisions(found)):
        yield


@dataclass(frozen=True)
class Asked:
    """What an evaluation is of, beside its model and its suite; see `lepbench.evaluate`."""

    name: str | None = None
    limit: int | None = None
    samples_per_item: int = 1
    protocol: str | Path | Protocol | None = None
    judges: str | Path | None = None
    statistics: str | Path | None = None
    device: str = "auto"


@dataclass(frozen=True)
class Doing:
    """Who does an evaluation, and how it is followed; no figure depends on it. See `lepbench.evaluate`."""

    engine: str | None = None
    workers: int | None = None
    timeout: float | None = None
    gpus: float = 1.0
    lock: str | Path | None = None
    trust_code: bool = False
    log_to: str | None = None
    watch: bool = False
    progress: ShowProgress = True

    @contextmanager
    def begin(self) -> Iterator[dict[str, Any]]:
        """A block in which it is done, with the arguments of `evaluation.run.evaluate` that this decides.

        Raises:
            LepbenchError: there is no such engine or tracker, or files are not those of the lockfile.
        """
        runner = choose_engine(self.engine, self.workers, self.timeout)
        check_tracker(self.log_to)
        with trusting_code(self.trust_code), pinning(self.lock), follow_progress(self.progress) as show:
            yield {"engine": runner, "gpus": self.gpus, "log_to": self.log_to, "progress": show}


class Prepared(NamedTuple):
    """A model and a suite, and the other arguments of an evaluation by name."""

    config: ModelConfig
    suite: Suite
    arguments: dict[str, Any]


def prepare_evaluation(model: ModelLike, suite: SuiteLike, asked: Asked) -> Prepared:
    """Read what is given. Without a connection all must be here.

    Raises:
        LepbenchError: it cannot be used, or something has to be fetched first.
    """
    require_whole("samples_per_item", asked.samples_per_item, least=1)
    # The suite says how many there are.
    require_whole("limit", 1 if asked.limit is None else asked.limit)
    chosen = suite if isinstance(suite, Suite) else load_suite(suite)
    config, method, stateful = read_model(model, asked.name)
    terms = _select_terms(chosen, asked)
    if is_offline():
        command = write_prefetch(model, chosen, asked.protocol, asked.judges)
        require_here(list_needs(config, chosen, terms), command)
    arguments = {
        "limit": asked.limit,
        "samples_per_item": asked.samples_per_item,
        "device": asked.device,
        "protocol": terms,
        "method": method,
        "stateful": stateful,
    }
    return Prepared(config, chosen, arguments)


def _select_terms(suite: Suite, asked: Asked) -> Protocol:
    if isinstance(asked.protocol, Protocol):
        return asked.protocol
    reference = None if asked.statistics is None else Path(asked.statistics)
    return select_protocol(suite, asked.protocol, judges=asked.judges, reference=reference)
