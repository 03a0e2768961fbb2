"""Does the runs of a set in other processes, several at once; a worker keeps backbone and judges."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import NamedTuple

from lepbench.backbones import choose_device
from lepbench.engines import Engine, Terms, ignore_entries
from lepbench.engines.base import EntryProgress
from lepbench.errors import LepbenchError
from lepbench.evaluation.layout import RECORD
from lepbench.evaluation.record import read_record
from lepbench.hub import pin_revisions
from lepbench.pickled import Pickled, pickle_for_workers
from lepbench.progress import ignore_progress
from lepbench.run_sets.config import RunSet
from lepbench.run_sets.follow import Follow
from lepbench.run_sets.perform import Outcome, RunWorker
from lepbench.run_sets.runs import SetRun
from lepbench.run_sets.states import State
from lepbench.threads import count_threads
from lepbench.trust import is_trusting, trusting_code


class RunPiece(NamedTuple):
    """A run of a set, by its number from 0."""

    number: int
    entries: int = 1


@dataclass
class SetJob:
    """The runs of a set, for processes that see the same files.

    Attributes:
        asked: the set, its runs with their states, and a tracker.
    """

    asked: Pickled
    _runs: Sequence[tuple[SetRun, State]] = ()
    _worker: RunWorker | None = field(default=None, repr=False)

    def open(self) -> None:
        """Read what is to be done."""
        with self.asked.read() as (config, runs, log_to):
            self._runs, self._worker = runs, RunWorker(config, len(runs), log_to)

    def perform(self, number: int) -> str:
        """Do a run; why it failed, or an empty text."""
        if self._worker is None:
            raise RuntimeError("the job is not open")
        with trusting_code(self.asked.trusts), pin_revisions(self.asked.pinned):
            run, state = self._runs[number]
            return self._worker.perform(run, state, lambda line: nullcontext(ignore_progress)).reason


def perform_piece(job: SetJob, piece: RunPiece, progress: EntryProgress) -> str:
    """Do a run in a worker; why it failed, or an empty text."""
    return job.perform(piece.number)


def perform_runs_apart(
    config: RunSet,
    runs: Sequence[SetRun],
    states: Sequence[State],
    follow: Follow,
    *,
    engine: Engine,
    log_to: str | None = None,
) -> list[Outcome]:
    """Do what is missing of the runs, several at once; see `perform.perform_runs`."""
    job = SetJob(pickle_for_workers((config, list(zip(runs, states, strict=True)), log_to), is_trusting()))
    on_gpus = choose_device(config.device).type == "cuda"
    pieces, reasons = [RunPiece(number) for number in range(len(runs))], dict[int, str]()
    with (
        follow(f"{len(runs)} runs, several at once") as progress,
        engine.start(perform_piece, job, Terms(count_threads(), float(on_gpus))) as team,
    ):
        for piece, reason in team.run(pieces, ignore_entries, lambda lost, why: why):
            reasons[piece.number] = reason
            progress("runs", len(reasons), len(runs))
    return [_read_outcome(run, reasons[number]) for number, run in enumerate(runs)]


def _read_outcome(run: SetRun, reason: str) -> Outcome:
    if reason:
        return Outcome(run, None, reason)
    if not (run.folder / RECORD).is_file():
        return Outcome(
            run, None, f"{run.folder} was written and is not here; let all machines share one folder"
        )
    try:
        return Outcome(run, read_record(run.folder))
    except LepbenchError as error:
        return Outcome(run, None, str(error))
