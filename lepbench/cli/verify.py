"""`lepbench verify`: check a folder of results against its record."""

from __future__ import annotations

import json
from pathlib import Path

import click

from lepbench.cli.inputs import check_documents, check_runs


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--images", is_flag=True, help="Also score every stored image again.")
@click.option(
    "--redraw",
    type=click.IntRange(min=1),
    metavar="N",
    help="Also draw N items anew, and compare.",
)
@click.option("--suite", help="A suite's name, or a folder of one  [default: the record's].")
@click.option("--protocol", help="A protocol's name, or a YAML file of terms  [default: the record's name].")
@click.option("--judges", help="A YAML file of judges, as for evaluate  [default: the record's].")
@click.option(
    "--statistics", type=click.Path(path_type=Path), help="Folder of statistics  [default: the record's]."
)
@click.option("--guard", type=click.Path(path_type=Path), help="Folder of another guard than ships.")
@click.option("--device", default="auto", show_default=True, help="Where networks run: cpu, cuda or auto.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the list.")
def command(
    folder: Path,
    images: bool,
    redraw: int | None,
    suite: str | None,
    protocol: str | None,
    judges: str | None,
    statistics: Path | None,
    guard: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Check the run in DIR: its samples match its record, and every figure follows from them.

    With --images all images are scored again, and every column of samples.parquet must agree with
    them. With --redraw N items are drawn anew by the settings of the record, chosen by its hash and a random
    number. What was checked and what was not is printed as a list, with the level that a leaderboard gives
    such a run and the option that raises it: only --images does beyond self-reported. Nothing is written.
    The check stops at the first disagreement with exit code 2.

    \b
    Examples:
      lepbench verify runs/mini-lep
      lepbench verify runs/mini-lep --images --redraw 4
      lepbench verify runs/sd15 --suite photographs --judges judges.yaml
    """
    check_runs([folder])
    check_documents(protocol, judges)
    from lepbench.backbones import choose_device
    from lepbench.bars import show_bars
    from lepbench.evaluation.checks import verify_run
    from lepbench.evaluation.guard import make_guard
    from lepbench.evaluation.judges import load_judges
    from lepbench.evaluation.record import read_record
    from lepbench.evaluation.terms import find_protocol, find_suite, require_known_programs

    found = read_record(folder)
    chosen = find_suite(found, folder, suite)
    terms = find_protocol(found, chosen, protocol, judges=judges, reference=statistics)
    loaded = None
    if images:
        require_known_programs(found, terms)
        loaded = load_judges(terms, str(choose_device(device)))
    with show_bars() as progress:
        verified = verify_run(
            folder,
            chosen,
            terms,
            judges=loaded,
            redraw=redraw or 0,
            device=device,
            guard=None if guard is None else make_guard(guard),
            progress=progress,
        )
    if as_json:
        click.echo(json.dumps({"folder": str(folder), **verified.describe()}))
        return
    lines = (f"  {check.name:<12}{check}" for check in verified.checks)
    head = f"{folder}: {verified.level}" + (f" ({verified.advice})" if verified.advice else "")
    click.echo("\n".join([head, *lines]))
