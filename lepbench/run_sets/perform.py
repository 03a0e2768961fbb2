"""Does the runs of a set one by one: what is done is read back, what fails is noted, and the next begins."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from lepbench.backbones import choose_device
from lepbench.errors import LepbenchError
from lepbench.evaluation.last_judges import LastJudges
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.record import Record
from lepbench.evaluation.run import evaluate
from lepbench.judges import Judges
from lepbench.progress import Progress, ignore_progress
from lepbench.publishing.publish import publish_run
from lepbench.publishing.sheet import SHEET
from lepbench.run_sets.config import RunSet
from lepbench.run_sets.follow import Follow
from lepbench.run_sets.last_backbone import LastBackbone
from lepbench.run_sets.runs import SetRun
from lepbench.run_sets.states import State
from lepbench.submitted import describe_error


@dataclass(frozen=True)
class Outcome:
    """Of one run.

    Attributes:
        record: None where it failed.
        reason: why, in one line; empty where it did not.
    """

    run: SetRun
    record: Record | None
    reason: str = ""


def perform_runs(
    config: RunSet,
    runs: Sequence[SetRun],
    states: Sequence[State],
    follow: Follow,
    *,
    log_to: str | None = None,
) -> list[Outcome]:
    """Do what is missing of the runs; an interruption leaves what was done for the next call.

    Args:
        states: of each run.
        follow: shows the runs that draw something.
        log_to: a tracker, as for `evaluate`.
    """
    worker = RunWorker(config, total=sum(state is not State.DONE for state in states), log_to=log_to)
    return [worker.perform(run, state, follow) for run, state in zip(runs, states, strict=True)]


@dataclass
class RunWorker:
    """What is kept from one run to the next: backbone, judges, and how long runs take."""

    config: RunSet
    total: int
    log_to: str | None = None
    seconds: list[float] = field(default_factory=list)
    begun: int = 0
    load: LastBackbone = field(default_factory=LastBackbone)
    judges: LastJudges | None = None

    def perform(self, run: SetRun, state: State, follow: Follow) -> Outcome:
        if state is State.DONE:
            return self._try(run, state, ignore_progress)
        line = f"run {self.begun + 1} of {self.total}: {run.name}{self._estimate()}"
        self.begun += 1
        started = time.perf_counter()
        with follow(line) as progress:
            outcome = self._try(run, state, progress)
        if outcome.record is not None:
            self.seconds.append(time.perf_counter() - started)
        return outcome

    def _estimate(self) -> str:
        """The time left, if the runs to come take as long as those before them; empty for the first."""
        if not self.seconds:
            return ""
        left = (self.total - self.begun) * sum(self.seconds) / len(self.seconds)
        return f", about {write_duration(left)} left"

    def _try(self, run: SetRun, state: State, progress: Progress) -> Outcome:
        try:
            return Outcome(run, self._evaluate(run, state, progress))
        except LepbenchError as error:
            return Outcome(run, None, str(error))
        except Exception as error:  # whatever it is: the other runs of a night are not lost with it
            return Outcome(run, None, describe_error(error))

    def _evaluate(self, run: SetRun, state: State, progress: Progress) -> Record:
        record = evaluate(
            run.variant.config,
            run.task.suite,
            run.folder,
            limit=run.task.limit,
            samples_per_item=self.config.samples_per_item,
            device=self.config.device,
            judges=self._load_judges(run.task.protocol),
            protocol=run.task.protocol,
            load=self.load,
            progress=progress,
            log_to=self.log_to,
        )
        # A kill right after the record was written leaves a run that is done and not shown.
        if state is not State.DONE or not (run.folder / SHEET).is_file():
            publish_run(record, run.task.suite, run.folder)
        return record

    def _load_judges(self, protocol: Protocol) -> Judges:
        if self.judges is None:
            self.judges = LastJudges(str(choose_device(self.config.device)))
        return self.judges(protocol)


def write_duration(seconds: float) -> str:
    """A length of time in the largest unit that it has one of: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
