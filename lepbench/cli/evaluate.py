"""`lepbench evaluate`: score a model on a suite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lepbench.cli.console import say_note
from lepbench.cli.engine_options import engine_options, gpus_option
from lepbench.cli.inputs import DEFAULT_SUITE, check_documents, check_model_file
from lepbench.errors import LepbenchError
from lepbench.shares import parse_share

if TYPE_CHECKING:
    from lepbench.evaluation.record import Record
    from lepbench.suites import Suite


@click.command()
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL.yaml")
@click.option("--suite", default=DEFAULT_SUITE, show_default=True, help="A suite's name, or a folder of one.")
@click.option("--protocol", help="A protocol's name, or a YAML file of terms  [default: the suite's].")
@click.option("--judges", help="A YAML file of judges instead of the protocol's, or none.")
@click.option(
    "--statistics",
    type=click.Path(path_type=Path),
    help="Folder of 'lepbench statistics make' that sets are compared with  [default: the protocol's].",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder of results  [default: runs/NAME].")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Items of the suite, each with all its variants  [default: the suite's].",
)
@click.option(
    "--samples-per-item",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Images per item, each from its own noise.",
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda or auto.")
@engine_options("Batches drawn in parallel")
@gpus_option
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds that a batch may take.")
@click.option(
    "--shards", metavar="I/N", help="Draw only every N-th batch, from the I-th: one job of an array."
)
@click.option(
    "--lock",
    type=click.Path(path_type=Path),
    help="Lockfile of 'lepbench prefetch': its commits are loaded, and its files must be here.",
)
@click.option("--log-to", help="Show values in tensorboard, wandb or trackio, too.")
@click.option("--watch", is_flag=True, help="Show pictures in the browser as they are drawn.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def command(
    model: Path,
    suite: str,
    protocol: str | None,
    judges: str | None,
    statistics: Path | None,
    out: Path | None,
    limit: int | None,
    samples_per_item: int,
    device: str,
    engine: str | None,
    workers: int | None,
    gpus: float,
    timeout: float | None,
    shards: str | None,
    lock: Path | None,
    log_to: str | None,
    watch: bool,
    as_json: bool,
) -> None:
    """Generate images with the model in MODEL.yaml and score them on a suite.

    Every table has the model and its references: the unguided backbone on the same noise,
    the real images, their VAE round trip, the sketch drawn on the unguided images, and the model's
    images compared with the next item's sketch. Images that were drawn elsewhere, or by a Python callable,
    have no backbone, and so no unguided, VAE and overlay rows, unless `compare_with` names one. The same
    command resumes an interrupted run; one with another --limit is another run. Neither engine nor workers
    change a picture or a figure.

    \b
    Examples:
      lepbench evaluate examples/mini-lep.yaml
      lepbench evaluate examples/mini-lep.yaml --limit 8 --out /tmp/quick --watch
      lepbench evaluate examples/mini-unguided.yaml --samples-per-item 8 --json > unguided.json
      lepbench evaluate examples/sd15-lep.yaml --suite photographs --workers 8
      lepbench evaluate examples/sd15-lep.yaml --suite photographs --shards 3/8
      lepbench evaluate my-model.yaml --import my_methods.py --protocol my-protocol.yaml
    """
    share = None if shards is None else parse_share(shards)
    if watch and share is not None:
        raise LepbenchError("--watch shows a whole run", "leave out --watch or --shards")
    check_model_file(model)
    check_documents(protocol, judges)
    from lepbench.config import load_config
    from lepbench.suites import load_suite

    chosen = load_suite(suite)
    # What follows imports torch.
    from lepbench.api.preparing import Asked, Doing
    from lepbench.api.running import evaluate_asked
    from lepbench.api.shares import evaluate_share
    from lepbench.methods import ModelConfig
    from lepbench.mini.words import describe_unknown_words

    config = load_config(model, ModelConfig)
    for note in describe_unknown_words(config.backbone or "", chosen.items(limit).prompts):
        say_note(note)
    asked = Asked(
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
        watch=watch,
    )
    if share is not None:
        folder, _ = evaluate_share(model, chosen, share, out, asked=asked, doing=doing)
        say_note(f"wrote shard {share} into {folder}; 'lepbench merge' makes a run of all shards")
        return
    folder = out or Path("runs") / config.name
    record = evaluate_asked(model, chosen, folder, asked, doing=doing)
    _say_what_lacks(chosen, record)
    if as_json:
        click.echo(json.dumps(record.published()))
    else:
        print_table(record)
    say_where(record, folder)


def print_table(record: Record) -> None:
    """Print the figures."""
    from lepbench.cli.console import make_console
    from lepbench.publishing.tables import make_terminal_tables

    console = make_console()
    for table in make_terminal_tables(record, console.width):
        console.print(table)


def _say_what_lacks(suite: Suite, record: Record) -> None:
    from lepbench.evaluation.conditions import CONDITIONS

    name, protocol = suite.name, record.protocol
    if "picture" not in suite.definition.truths:
        lacking = " and ".join(kind.name for kind in CONDITIONS.values() if kind.needs_pictures)
        say_note(f"{name} has no real pictures: rows {lacking} are left out")
    if not protocol.judges:
        say_note(f"{protocol.name} has no judges: captions and realism are not measured")
    if "distances" in protocol.measures and record.sample_count < protocol.frechet_from:
        few = f"fewer than {protocol.frechet_from} samples"
        say_note(f"{few}: no Frechet distance (FD, FID); KID is unbiased")
    if "diversity" in protocol.measures and record.identity.samples_per_item == 1:
        say_note("one sample an item: no diversity; --samples-per-item asks for more")


def say_where(record: Record, folder: Path) -> None:
    """Say what a reader of the table should know, and where the files lie."""
    if record.submitted_code:
        say_note(f"code of the submitter took part: {', '.join(record.submitted_code)}")
    for note in record.notes:
        say_note(f"backbone: {note}")
    if record.cut_captions:
        first, count = record.cut_captions[0], len(record.cut_captions)
        say_note(f"captions that the backbone does not read to the end: {count}, first of {first}")
    failed = {row: count for row, count in record.failed.items() if count}
    if failed:
        rows = ", ".join(f"{count} of {row}" for row, count in failed.items())
        click.echo(f"failed samples, in no figure: {rows}; run again to retry them", err=True)
    say_note(
        f"wrote {folder}: report.html (every figure and picture), table.csv, record.json, samples.parquet, "
        "sheet.png, samples/"
    )
