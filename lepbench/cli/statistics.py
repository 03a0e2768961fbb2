"""`lepbench statistics`: features of real pictures, kept for the comparison with generated ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lepbench.cli.console import say_note
from lepbench.cli.engine_options import engine_options, gpus_option
from lepbench.cli.verbs import VerbGroup

if TYPE_CHECKING:
    from lepbench.scoring.statistics import Statistics


@click.group(cls=VerbGroup)
def command() -> None:
    """Keep judges' features of real pictures, which sets of generated ones are compared with.

    \b
    Examples:
      lepbench statistics make photos/ --judges judges.yaml --out statistics/photos
      lepbench evaluate model.yaml --suite my-suite --statistics statistics/photos
      lepbench score images --generated samples/ --reference statistics/photos --judges judges.yaml
    """


@command.command("make")
@click.argument("corpus")
@click.option("--judges", required=True, help="A YAML file of judges, or the name of a protocol that ships.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write.")
@click.option(
    "--size",
    type=click.IntRange(min=1),
    help="Resize pictures to the centre square of this side, px.  [default: as they are]",
)
@click.option("--limit", type=int, help="Pictures from the front of the corpus.  [default: all]")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda or auto.")
@engine_options("Chunks read in parallel")
@gpus_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def make_command(
    corpus: str,
    judges: str,
    out: Path,
    size: int | None,
    limit: int | None,
    device: str,
    engine: str | None,
    workers: int | None,
    gpus: float,
    as_json: bool,
) -> None:
    """Write the features of the real pictures of CORPUS by every judge that gives any.

    CORPUS is a folder of pictures, a data set of build-data, or a suite by name or folder. OUT gets a file
    LABEL.safetensors a judge and statistics.json, which names each by the hash of pictures, judge, resize and
    number. What is there is kept; the same command goes on after an interruption. A folder of features of
    another corpus is refused. `evaluate --statistics OUT` and `score images --reference OUT` read it. Neither
    engine nor workers change a feature.

    \b
    Examples:
      lepbench statistics make photos/ --judges judges.yaml --out statistics/photos
      lepbench statistics make triplets/ --judges lepbench-photographs-v1 --size 512 --out statistics/triplets
      lepbench statistics make sketchworld-edges-v1 --judges lepbench-edges-v1 --limit 256 --out statistics/sw
    """
    from lepbench.api.statistics import make_statistics

    made = make_statistics(
        corpus, judges, out, size=size, limit=limit, device=device, engine=engine, workers=workers, gpus=gpus
    )
    click.echo(json.dumps(made.model_dump(mode="json")) if as_json else _describe(made, out))
    if made.repeated:
        say_note(f"{made.repeated} pictures have the same pixels as another of them")


def _describe(made: Statistics, out: Path) -> str:
    resized = "as they are" if made.size is None else f"at {made.size} px"
    width = max(map(len, made.judges))
    lines = [
        f"{label:<{width}}  {made.n} x {one.dimensions}  {one.name}" for label, one in made.judges.items()
    ]
    return "\n".join([*lines, f"{made.n} pictures of {made.corpus}, {resized}: {out}"])
