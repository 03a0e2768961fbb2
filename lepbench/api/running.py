"""Runs: evaluate a model, compare finished runs, verify one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lepbench.api.loading import find_run
from lepbench.api.model import ModelLike
from lepbench.api.preparing import Asked, Doing, SuiteLike, prepare_evaluation
from lepbench.api.progress import ShowProgress, follow_progress
from lepbench.backbones import choose_device
from lepbench.errors import LepbenchError
from lepbench.evaluation import compare as comparing
from lepbench.evaluation.checks import verify_run
from lepbench.evaluation.judges import load_judges
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.record import Record, read_record
from lepbench.evaluation.run import evaluate as run
from lepbench.evaluation.terms import find_protocol, find_suite, require_known_programs
from lepbench.publishing.pages.report import REPORT
from lepbench.publishing.pages.watching import RunPage, open_in_browser
from lepbench.publishing.publish import publish_run
from lepbench.suites import Suite
from lepbench.trust import trusting_code

RunLike = str | Path | Record


def evaluate(
    model: ModelLike,
    suite: SuiteLike = "sketchworld-edges-v1",
    out: str | Path | None = None,
    *,
    name: str | None = None,
    limit: int | None = None,
    samples_per_item: int = 1,
    protocol: str | Path | Protocol | None = None,
    judges: str | Path | None = None,
    statistics: str | Path | None = None,
    device: str = "auto",
    engine: str | None = None,
    workers: int | None = None,
    timeout: float | None = None,
    gpus: float = 1.0,
    lock: str | Path | None = None,
    log_to: str | None = None,
    trust_code: bool = False,
    watch: bool = False,
    progress: ShowProgress = True,
) -> Record:
    """Draw and score a model on a suite, as `lepbench evaluate` does.

    A run that was stopped goes on where it was; one that is done is read back.

    Args:
        model: a YAML file, a dict of its keys, a configuration, a method's name, or a method at hand: a
            `lepbench.methods.Method`, or a callable `(prompts, sketches, seeds, size) -> pictures`, where
            sketches are bool [B, size, size], true on a stroke, and pictures a tensor [B, 3, H, W], an array
            [B, H, W, 3] (float in [0, 1] or uint8) or PIL images.
        suite: a name, a folder, or a loaded suite.
        out: folder of results; `runs/NAME` unless given.
        name: of the model in tables; the model's own unless given.
        limit: items from the front of the suite, each with all its variants; the suite's default number
            unless given.
        samples_per_item: pictures an item, each from its own noise.
        protocol: a name, or a YAML file of terms; the suite's own unless given.
        judges: a YAML file of judges instead of the protocol's, or "none".
        statistics: a folder of `lepbench statistics make`, which sets are compared with, instead of the
            protocol's reference.
        device: "cpu", "cuda", or "auto" for a GPU if there is one.
        engine: "here", "processes" or "ray"; which of them changes no picture and no figure.
        workers: batches that are drawn in parallel; with "ray" as many as the cluster has places for.
        timeout: seconds that a batch may take; one that takes longer failed.
        gpus: of each worker, on a GPU; with "ray" it may be a fraction.
        lock: a lockfile of `lepbench prefetch`, whose commits are loaded and whose files must be here.
        log_to: "tensorboard", "wandb" or "trackio", which shows the run while it goes on; its log is
            `log.jsonl` in its folder in any case.
        trust_code: run code that a configuration names and that has not run here before.
        watch: open the page of the newest pictures, which stands in the place of the report until that is
            written.
        progress: True for bars on stderr, False for nothing, or a callback (stage, done, total).

    Returns:
        The record; its figures are `record.rows`, as a table `record.to_frame()`.

    Raises:
        LepbenchError: the model or a file cannot be used, or `out` belongs to another run.
    """
    asked = Asked(
        name=name,
        limit=limit,
        samples_per_item=samples_per_item,
        protocol=protocol,
        judges=judges,
        statistics=statistics,
        device=device,
    )
    doing = Doing(
        engine=engine,
        workers=workers,
        timeout=timeout,
        gpus=gpus,
        lock=lock,
        log_to=log_to,
        trust_code=trust_code,
        watch=watch,
        progress=progress,
    )
    return evaluate_asked(model, suite, out, asked, doing=doing)


def evaluate_asked(
    model: ModelLike, suite: SuiteLike, out: str | Path | None, asked: Asked, *, doing: Doing
) -> Record:
    """`evaluate`, of arguments that were collected before."""
    with doing.begin() as means:
        config, chosen, arguments = prepare_evaluation(model, suite, asked)
        folder = Path("runs") / config.name if out is None else Path(out)
        page = RunPage(
            folder / REPORT,
            f"{config.name} on {chosen.name}",
            chosen.items(asked.limit),
            each=asked.samples_per_item,
        )
        if doing.watch:
            page.opened = open_in_browser
        with page.follow(means["progress"]) as shown:
            record = run(config, chosen, folder, **arguments, **{**means, "progress": shown})
    publish_run(record, chosen, folder)
    return record


def compare(*runs: RunLike | Sequence[RunLike], every_metric: bool = False) -> comparing.Comparison:
    """Hold finished runs against each other on the samples they share, as `lepbench compare` does.

    Args:
        runs: two or more folders or records, each with its own model name.
        every_metric: all metrics, not the main ones alone.

    Raises:
        LepbenchError: there are fewer than two, two share a name, or they do not compare.
    """
    flat = [one for run in runs for one in ([run] if isinstance(run, RunLike) else run)]
    if len(flat) < 2:
        raise LepbenchError("a comparison needs two runs or more", "give their folders or records")
    return comparing.compare([find_folder(one) for one in flat], every_metric=every_metric)


def verify(
    run: RunLike,
    *,
    images: bool = False,
    redraw: int = 0,
    suite: SuiteLike | None = None,
    protocol: str | Path | Protocol | None = None,
    judges: str | Path | None = None,
    statistics: str | Path | None = None,
    device: str = "auto",
    trust_code: bool = False,
    progress: ShowProgress = True,
) -> Record:
    """Check that a run's figures follow from its samples, as `lepbench verify` does.

    Args:
        run: a folder or a record.
        images: score every stored picture anew, too.
        redraw: how many items are drawn anew, and their pictures compared.
        suite: what the run is held against, as for `evaluate`; that of its record unless given.
        protocol: likewise.
        judges: likewise.
        statistics: likewise.
        device: where networks run that score or draw pictures anew.
        trust_code: run a TorchScript judge that only the record names and that has not run here before.
        progress: True for bars on stderr, False for nothing, or a callback (stage, done, total).

    Returns:
        The record, found true.

    Raises:
        LepbenchError: something is missing or does not agree; the message says what.
    """
    folder = find_folder(run)
    found = read_record(folder)
    chosen = suite if isinstance(suite, Suite) else find_suite(found, folder, suite)
    reference = None if statistics is None else Path(statistics)
    terms = (
        protocol
        if isinstance(protocol, Protocol)
        else find_protocol(found, chosen, protocol, judges=judges, reference=reference)
    )
    with trusting_code(trust_code), follow_progress(progress) as show:
        loaded = None
        if images:
            require_known_programs(found, terms)
            loaded = load_judges(terms, str(choose_device(device)))
        return verify_run(
            folder, chosen, terms, judges=loaded, redraw=redraw, device=device, progress=show
        ).record


def find_folder(run: RunLike) -> Path:
    """The folder of a run.

    Raises:
        LepbenchError: a record was not read from one.
    """
    return run.require_folder() if isinstance(run, Record) else find_run(run)
