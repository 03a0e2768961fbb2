"""`lepbench verify`: check a folder of results against its record."""

from __future__ import annotations

from pathlib import Path

import click

from lepbench.cli.inputs import check_documents, check_runs


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--images", is_flag=True, help="Also score every stored image again.")
@click.option("--suite", help="A suite's name, or a folder of one  [default: the record's].")
@click.option("--protocol", help="A protocol's name, or a YAML file of terms  [default: the record's name].")
@click.option("--judges", help="A YAML file of judges, as for evaluate  [default: the record's].")
@click.option(
    "--statistics", type=click.Path(path_type=Path), help="Folder of statistics  [default: the record's]."
)
@click.option("--device", default="auto", show_default=True, help="Where --images runs: cpu, cuda or auto.")
def command(
    folder: Path,
    images: bool,
    suite: str | None,
    protocol: str | None,
    judges: str | None,
    statistics: Path | None,
    device: str,
) -> None:
    """Check the run in DIR: its samples match its record, and every figure follows from them.

    With --images all images are scored again, and every column of samples.parquet must agree with
    them. Nothing is written. The check stops at the first disagreement with exit code 2.

    \b
    Examples:
      lepbench verify runs/mini-lep
      lepbench verify runs/mini-lep --images
      lepbench verify runs/sd15 --suite photographs --judges judges.yaml
    """
    check_runs([folder])
    check_documents(protocol, judges)
    from lepbench.backbones import choose_device
    from lepbench.bars import show_bars
    from lepbench.evaluation.judges import load_judges
    from lepbench.evaluation.record import read_record
    from lepbench.evaluation.terms import find_protocol, find_suite, require_known_programs
    from lepbench.evaluation.verify import recount_samples, verify_record

    found = read_record(folder)
    chosen = find_suite(found, folder, suite)
    terms = find_protocol(found, chosen, protocol, judges=judges, reference=statistics)
    record = verify_record(folder, chosen, terms)
    figures = sum(figure.value is not None for row in record.rows.values() for figure in row.values())
    said = f"{figures} figures follow from the samples"
    if images:
        require_known_programs(found, terms)
        with show_bars() as progress:
            loaded = load_judges(terms, str(choose_device(device)))
            scored = recount_samples(folder, chosen, loaded, progress)
        said += f", {scored} samples from their pictures"
    click.echo(f"{folder}: {said}")
