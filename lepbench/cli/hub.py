"""`lepbench hub`: what the hub shows of a benchmark and of a model's results."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from lepbench.cli.console import json_option, print_result, say_note
from lepbench.cli.table import split_names
from lepbench.cli.verbs import VerbGroup


@click.group(cls=VerbGroup)
def command() -> None:
    """Write the files by which the hub shows a benchmark and a model's results; upload one with --push.

    \b
    Examples:
      lepbench hub eval-yaml sketchworld-edges-v1 --out dataset/eval.yaml
      lepbench hub results runs/mini-lep --dataset someone/sketchworld-edges-v1 --out model/
    """


metrics_option = click.option(
    "--metrics", help="Figures, a task each, such as edge_f1_1px,kid  [default: the one that ranks]."
)
protocol_option = click.option("--protocol", help="A protocol's name, or a YAML file of terms.")
push_option = click.option("--push", metavar="OWNER/NAME", help="Also upload the file to this repository.")


@command.command("eval-yaml")
@click.argument("suite")
@protocol_option
@metrics_option
@click.option("--config", help="Configuration of the data set that has the items.")
@click.option("--split", help="Split of the data set that has the items.")
@click.option("--out", type=click.Path(path_type=Path), help="File to write  [default: print].")
@push_option
@json_option
def eval_yaml_command(
    suite: str,
    protocol: str | None,
    metrics: str | None,
    config: str | None,
    split: str | None,
    out: Path | None,
    push: str | None,
    as_json: bool,
) -> None:
    """Write the eval.yaml that makes a data set with SUITE, a name or a folder, a benchmark of the hub.

    Nothing is uploaded without --push. The token is that of `hf auth login`, or the variable HF_TOKEN.

    \b
    Examples:
      lepbench hub eval-yaml sketchworld-edges-v1
      lepbench hub eval-yaml photographs --metrics kid@dinov2,edge_f1_1px --push someone/photographs
    """
    from lepbench.evaluation.protocols import select_protocol
    from lepbench.publishing.hub_results import EVAL, format_benchmark, make_benchmark, push_file
    from lepbench.suites import load_suite

    chosen = load_suite(suite)
    terms = select_protocol(chosen, protocol)
    made = make_benchmark(chosen, terms, split_names(metrics), config=config, split=split)
    text = format_benchmark(made)
    _write(text, out, as_json)
    if push is not None:
        say_note(push_file(text, EVAL, push, "dataset"))


@command.command("results")
@click.argument("run", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--dataset", required=True, metavar="OWNER/NAME", help="Data set of the benchmark.")
@click.option("--revision", help="Commit of the data set.")
@click.option("--suite", help="A suite's name, or a folder of one  [default: the record's].")
@protocol_option
@metrics_option
@click.option("--date", type=click.DateTime(("%Y-%m-%d",)), help="Day of the run  [default: of the commit].")
@click.option("--source-url", help="Address of the run, such as an archive of its folder.")
@click.option("--source-name", help="What the address is called.")
@click.option("--source-user", help="User of the hub who made the run.")
@click.option("--source-org", help="Organisation of the hub that made the run.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the model's repository, which gets .eval_results/SUITE.yaml  [default: print].",
)
@push_option
@json_option
def results_command(
    run: Path,
    dataset: str,
    revision: str | None,
    suite: str | None,
    protocol: str | None,
    metrics: str | None,
    date: datetime | None,
    out: Path | None,
    push: str | None,
    as_json: bool,
    **source: str | None,
) -> None:
    """Verify the run in DIR, and write its model's results as the hub reads them, by its own classes.

    A run of fewer items than the suite is scored on by default is refused.

    Nothing is uploaded without --push. The token is that of `hf auth login`, or the variable HF_TOKEN.

    \b
    Examples:
      lepbench hub results runs/mini-lep --dataset someone/sketchworld-edges-v1
      lepbench hub results runs/mini-lep --dataset someone/sketchworld-edges-v1 --push someone/mini-lep
    """
    from lepbench.api.running import verify
    from lepbench.config import parse_config
    from lepbench.evaluation.terms import find_suite
    from lepbench.publishing.hub_results import RESULTS, ResultSource, format_results, make_results, push_file
    from lepbench.publishing.leaderboard import require_items

    record = verify(run, suite=suite, protocol=protocol, progress=False)
    require_items(run, record, find_suite(record, run, suite), "results on the hub are of")
    entries = make_results(
        record,
        dataset,
        split_names(metrics),
        revision=revision,
        date=None if date is None else f"{date:%Y-%m-%d}",
        source=parse_config(
            {key.removeprefix("source_"): text for key, text in source.items()}, ResultSource, "source"
        ),
    )
    text, path = format_results(entries), f"{RESULTS}/{record.identity.suite}.yaml"
    _write(text, out and out / path, as_json)
    if push is not None:
        say_note(push_file(text, path, push, "model"))


def _write(text: str, out: Path | None, as_json: bool) -> None:
    """Print a file of YAML, or write it and say where."""
    import yaml

    from lepbench.files import write_text

    if out is None:
        print_result(text.rstrip("\n"), yaml.safe_load(text), as_json)
    else:
        write_text(out, text)
        print_result(str(out), {"out": str(out)}, as_json)
