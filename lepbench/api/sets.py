"""Sets of runs: models x suites x protocols of one file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from lepbench.api.needs import list_run_needs, write_prefetch
from lepbench.api.preparing import pinning
from lepbench.api.progress import ShowProgress
from lepbench.bars import show_bars
from lepbench.engines import Engine, InProcess, choose_engine
from lepbench.evaluation.needs import require_here
from lepbench.evaluation.record import read_record
from lepbench.fetch import is_offline
from lepbench.locks import lock_results
from lepbench.progress import Progress, ignore_progress
from lepbench.quiet import Level, find_level
from lepbench.run_sets.config import RunSet
from lepbench.run_sets.folder import claim_set_folder
from lepbench.run_sets.follow import Follow
from lepbench.run_sets.outcome import SetOutcome
from lepbench.run_sets.perform import perform_runs
from lepbench.run_sets.perform_apart import perform_runs_apart
from lepbench.run_sets.plan import Plan, make_plan
from lepbench.run_sets.show import show_set
from lepbench.run_sets.states import State
from lepbench.run_sets.suites import PlannedSuite
from lepbench.trackers import check_tracker
from lepbench.trust import trusting_code

SetLike = str | Path | Mapping[str, Any] | RunSet


def run_set(
    config: SetLike,
    *,
    only: str | None = None,
    quick: bool = False,
    engine: str | None = None,
    workers: int | None = None,
    log_to: str | None = None,
    lock: str | Path | None = None,
    trust_code: bool = False,
    progress: ShowProgress = True,
) -> SetOutcome:
    """Evaluate a set of models on a set of suites, as `lepbench run` does.

    Suites that the set describes are made first. Runs that are done are read back, a stopped one goes on
    where it was, and what failed is tried again. A run that fails does not stop the others. Tables and plots
    of all finished runs are written into the set's folder.

    Args:
        config: a YAML file, a dict of its keys, or a configuration; docs/runs.md has the keys.
        only: pattern with `*` of the models that are evaluated now; finished runs of others are shown too.
        quick: evaluate the first two items of each suite alone, with all their variants, for a first look;
            into a folder of its own, `OUT-quick`.
        engine: "here", "processes" or "ray"; which of them changes no figure.
        workers: runs that are done at once; with "ray" as many as the cluster has places for.
        log_to: "tensorboard", "wandb" or "trackio", which shows each run while it goes on.
        lock: a lockfile of `lepbench prefetch SET.yaml`, whose commits are loaded and whose files must be
            here.
        trust_code: run code that a configuration names and that has not run here before.
        progress: True for bars on stderr, False for nothing, or a callback (stage, done, total), whose stage
            is the run and the condition.

    Returns:
        The records, what failed, and the figures of all runs as a table: `to_frame()`.

    Raises:
        LepbenchError: the set cannot be read or is contradictory, or a folder belongs to another run; the
            faults of single runs are in `failed`.
    """
    runner = choose_engine(engine, workers)
    with trusting_code(trust_code), pinning(lock):
        return finish_plan(make_plan(config, only, quick=quick), follow_runs(progress), runner, log_to)


def finish_plan(
    plan: Plan, follow: Follow, engine: Engine | None = None, log_to: str | None = None
) -> SetOutcome:
    """Do what is missing of a plan, and write the tables and plots of all that is finished.

    Raises:
        LepbenchError: another process writes the set, or its folder cannot be written.
    """
    check_tracker(log_to)
    if is_offline():
        require_plan_here(plan)
    with lock_results(plan.config.folder):
        claim_set_folder(plan.config)
        plan = plan.make_suites(follow)
        selected = plan.list_selected()
        outcomes = (
            perform_runs(plan.config, *selected, follow, log_to=log_to)
            if engine is None or isinstance(engine, InProcess)
            else perform_runs_apart(plan.config, *selected, follow, engine=engine, log_to=log_to)
        )
        finished = [(one.run, one.record) for one in outcomes if one.record is not None]
        finished += [(run, read_record(run.folder)) for run in plan.list_others()]
        return show_set(plan, finished, {one.run.name: one.reason for one in outcomes if one.reason})


def require_plan_here(plan: Plan) -> None:
    """Refuse to begin a set offline whose runs would have to fetch something.

    Raises:
        LepbenchError: something is not here; the message has the command that fetches it.
    """
    for run, state in zip(*plan.list_selected(), strict=True):
        suite, protocol = run.task.suite, run.task.protocol
        if state is not State.DONE and not isinstance(suite, PlannedSuite):
            command = write_prefetch(run.variant.file, suite, protocol, plan.config.judges)
            require_here(list_run_needs(run), command)


def follow_runs(progress: ShowProgress) -> Follow:
    """What shows each suite or run that begins: a line and its bars, nothing, or calls of a callback."""

    def follow(line: str) -> AbstractContextManager[Progress]:
        if callable(progress):
            return nullcontext(lambda stage, done, total: progress(f"{line}: {stage}", done, total))
        if not progress or find_level() is Level.QUIET:
            return nullcontext(ignore_progress)
        print(line, file=sys.stderr, flush=True)
        # In a log the line is enough.
        return show_bars(transient=True) if sys.stderr.isatty() else nullcontext(ignore_progress)

    return follow
