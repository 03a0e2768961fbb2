"""Evaluate a model on a suite into a folder of results; runs can be interrupted and resumed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from lepbench.backbones import choose_device, load_backbone
from lepbench.config import parse_config
from lepbench.engines import Engine, InProcess, Team, Terms
from lepbench.errors import LepbenchError
from lepbench.evaluation.bench import Bench, make_bench
from lepbench.evaluation.draw_conditions import ConditionDrawer
from lepbench.evaluation.drawing_job import HeldJob, draw_encoded, draw_piece, make_drawing_job
from lepbench.evaluation.environment import (
    describe_environment,
    list_package_versions,
    measure_peak_accelerator_memory,
    measure_peak_memory,
)
from lepbench.evaluation.facts import find_facts
from lepbench.evaluation.finish import Effort, finish_run, list_tables
from lepbench.evaluation.folder import STATE, claim_folder, clear_work, prepare_folder
from lepbench.evaluation.judges import check_judges
from lepbench.evaluation.layout import RECORD
from lepbench.evaluation.opening import LoadBackbone, Opened, collect_weights, open_plan
from lepbench.evaluation.parts import hash_protocol
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.record import Identity, Record, list_values, read_record
from lepbench.evaluation.run_plan import RunPlan
from lepbench.evaluation.schema import make_schema
from lepbench.evaluation.share_state import DoneShare, ShareState, claim_share, write_share
from lepbench.judges import Judges
from lepbench.locks import lock_results
from lepbench.methods import Method, ModelConfig
from lepbench.progress import Progress, ignore_progress, join_progress
from lepbench.run_log import RunLog, logging_run
from lepbench.shares import Share
from lepbench.suites import Suite
from lepbench.threads import count_threads
from lepbench.trackers import check_tracker


@dataclass(frozen=True)
class Means:
    """By what a run is drawn, which changes no picture and no figure.

    Attributes:
        engine: draws and scores; this process unless given.
        gpus: of each worker, where networks run on GPUs; Ray may divide them.
        judges: those of the protocol unless given.
        method: generates the images, instead of the method of the model's configuration.
        stateful: whether that method holds what no hash tells; its run is then never read back.
        load: loads a backbone, as `load_backbone` does, or gives one that was loaded before.
        progress: called with (stage, done, total): the condition, its samples done, its samples in all.
        log_to: a name in `lepbench.trackers.TRACKERS`; None for none.
    """

    engine: Engine = field(default_factory=InProcess)
    gpus: float = 1.0
    judges: Judges | None = None
    method: Method | None = None
    stateful: bool = False
    load: LoadBackbone = load_backbone
    progress: Progress = ignore_progress
    log_to: str | None = None

    @property
    def apart(self) -> bool:
        """Whether other processes draw."""
        return not isinstance(self.engine, InProcess)


def evaluate(
    model: ModelConfig,
    suite: Suite,
    out: Path,
    *,
    limit: int | None = None,
    samples_per_item: int = 1,
    device: str = "auto",
    protocol: Protocol | None = None,
    **means: Any,
) -> Record:
    """Generate and score images of a model on a suite, with the reference conditions, into `out`.

    An interrupted run is resumed; a finished one is read.

    Args:
        limit: items from the front of the suite, each with all its variants; None for the suite's default
            number.
        samples_per_item: pictures an item, each from its own noise.
        device: where networks run; "auto" takes a GPU if there is one.
        protocol: the suite's own unless given.
        means: fields of `Means`.

    Raises:
        LepbenchError: a file is missing, or `out` cannot be written or belongs to another run, or another
            process writes it.
    """
    chosen = Means(**means)
    plan = make_run_plan(
        model, suite, limit, samples_per_item=samples_per_item, device=device, protocol=protocol
    )
    with _begin(plan, out, chosen, None) as run:
        finished = read_record(out) if (out / RECORD).is_file() else None
        if finished is not None and not any(finished.failed.values()):
            # A kill right after the record was written left it.
            clear_work(out)
            return finished
        with run.logging() as log:
            effort = run.draw(log)
            tables = list_tables(out, plan)
            record = finish_run(out, run.identity, plan.protocol, tables=tables, effort=effort)
            log.tell(list_values(record), record.sample_count * len(record.rows))
            return record


def evaluate_share(
    model: ModelConfig,
    suite: Suite,
    out: Path,
    share: Share,
    *,
    limit: int | None = None,
    samples_per_item: int = 1,
    device: str = "auto",
    protocol: Protocol | None = None,
    **means: Any,
) -> ShareState:
    """Draw and score a share of a run's batches, for `merge_shares` to finish; see `evaluate`.

    Raises:
        LepbenchError: as `evaluate`, or `out` holds another share.
    """
    chosen = Means(**means)
    plan = make_run_plan(
        model, suite, limit, samples_per_item=samples_per_item, device=device, protocol=protocol
    )
    with _begin(plan, out, chosen, share) as run:
        batches = {kind.name: len(plan.make_batches(kind)) for kind in plan.kinds}
        with run.logging() as log:
            done = DoneShare(protocol=plan.protocol, batches=batches, effort=run.draw(log))
        state = ShareState(number=share.number, of=share.of, done=done)
        write_share(out, state)
        return state


def make_run_plan(
    model: ModelConfig,
    suite: Suite,
    limit: int | None,
    samples_per_item: int,
    device: str,
    protocol: Protocol | None,
) -> RunPlan:
    """What a run draws; see `evaluate`.

    Raises:
        LepbenchError: the suite has fewer items, there is no such device, or a measure does not fit.
    """
    protocol = protocol or select_protocol(suite)
    items = suite.items(limit)
    make_schema(protocol)  # a measure that does not fit is reported before anything is loaded
    return RunPlan(
        model,
        suite,
        items,
        protocol=protocol,
        samples_per_item=samples_per_item,
        device=str(choose_device(device)),
    )


@dataclass(frozen=True)
class _Run:
    """A run that is loaded, whose folder is claimed."""

    plan: RunPlan
    out: Path
    means: Means
    share: Share | None
    identity: Identity
    opened: Opened
    started: float

    def logging(self) -> AbstractContextManager[RunLog]:
        """A block that is logged in the folder."""
        settings = self.identity.model_dump(mode="json", exclude={"weights", "packages"})
        return logging_run(self.out, self.plan.model.name, settings, self.means.log_to)

    def draw(self, log: RunLog) -> Effort:
        """Draw and score what is missing."""
        bench = make_bench(self.plan, self.opened, self.out)
        progress = join_progress(self.means.progress, log.follow)
        with self._start(bench) as team:
            drawer = ConditionDrawer(
                self.out, bench, team, progress=progress, share=self.share, note=log.write
            )
            drawer.draw_all(self._list_shared())
        drawer.peaks.add(measure_peak_memory(), measure_peak_accelerator_memory(self.identity.device))
        return Effort(
            facts=find_facts(self.plan, self.opened, bench),
            reused=drawer.reused,
            seconds=time.perf_counter() - self.started,
            peak_memory_bytes=drawer.peaks.memory,
            peak_accelerator_bytes=drawer.peaks.accelerator,
            machine=describe_environment(self.identity.device),
        )

    @contextmanager
    def _start(self, bench: Bench) -> Iterator[Team]:
        """The team that draws, each worker in as many threads as this process: others round differently."""
        terms = Terms(count_threads(), self.means.gpus if self.identity.device == "cuda" else 0.0)
        engine = self.means.engine
        if not self.means.apart:
            with engine.start(draw_piece, HeldJob(bench), terms) as team:
                yield team
            return
        job = make_drawing_job(self.plan, self.out, self.means.judges, self.identity.weights)
        with engine.start(draw_encoded, job, terms) as team:
            yield team

    def _list_shared(self) -> dict[str, Any]:
        """Common dependencies of the reference conditions."""
        names = {"suite", "suite_sha256", "protocol_sha256", "items", "packages", "device"}
        shared = self.identity.model_dump(mode="json", include=names)
        return {**shared, "judges": self.opened.judges.weights}


@contextmanager
def _begin(plan: RunPlan, out: Path, means: Means, share: Share | None) -> Iterator[_Run]:
    """Load a run, and hold its folder for it."""
    started = time.perf_counter()
    check_tracker(means.log_to)
    if means.apart and means.method is not None:
        raise LepbenchError(
            "a method that is no file cannot be drawn by other processes",
            "leave out engine, workers and timeout, or give a YAML file",
        )
    if means.judges is None:
        check_judges(plan.protocol)  # before anything is loaded
    prepare_folder(out)
    with lock_results(out):
        opened = open_plan(plan, judges=means.judges, method=means.method, load=means.load)
        identity = _identify(plan, opened, means.stateful)
        claim_folder(out, identity)
        claim_share(out, share)
        yield _Run(plan, out, means, share=share, identity=identity, opened=opened, started=started)


def _identify(plan: RunPlan, opened: Opened, stateful: bool) -> Identity:
    """Everything that determines the bytes of the samples."""
    given = {
        "model": plan.model,
        "suite": plan.suite.name,
        "suite_sha256": plan.suite.sha256,
        "protocol_sha256": hash_protocol(plan.protocol),
        "items": len(plan.items),
        "samples_per_item": plan.samples_per_item,
        "weights": collect_weights(plan, opened) | ({STATE: uuid4().hex} if stateful else {}),
        "packages": list_package_versions(),
        "device": plan.device.partition(":")[0],
    }
    # Code from outside may call its files anything.
    return parse_config(given, Identity, "the run")
