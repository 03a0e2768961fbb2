"""`lepbench mini`: train the embedded models by their recipes, and evaluate them."""

from __future__ import annotations

import json
from pathlib import Path

import click

from lepbench.cli.console import json_option, print_result
from lepbench.cli.verbs import VerbGroup
from lepbench.mini.about import list_stages


@click.group(cls=VerbGroup)
def command() -> None:
    """Train and evaluate the embedded models.

    \b
    Examples:
      lepbench mini train vae --out work/mini
      lepbench mini train unet --out work/mini
      lepbench mini gates
    """


@command.command()
@click.argument("stage", type=click.Choice(list_stages()))
@click.option("--out", type=click.Path(path_type=Path), default=Path("work/mini"), show_default=True)
@click.option("--recipe", type=click.Path(path_type=Path), help="A recipe other than the package's own.")
@json_option
def train(stage: str, out: Path, recipe: Path | None, as_json: bool) -> None:
    """Train one STAGE; the same command resumes an interrupted training."""
    from lepbench.mini.stages import train as train_stage

    made = train_stage(stage, out, recipe)
    print_result(str(made), {"out": str(made)}, as_json)


@command.command()
@click.option(
    "--models",
    type=click.Path(path_type=Path),
    help="Folder of mini@1, judge@1, probe@1 and others  [default: shipped].",
)
@click.option("--count", type=click.IntRange(min=1), help="Scenes per gate, for a quick run  [default: all].")
@click.option("--model", "names", multiple=True, help="A model to measure, repeatable  [default: all there].")
@click.option("--cards", is_flag=True, help="Also write the model cards with these measurements.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def gates(models: Path | None, count: int | None, names: tuple[str, ...], cards: bool, as_json: bool) -> None:
    """Measure every gate (acceptance test) of the embedded models; missed ones are shown with their value."""
    from lepbench.bars import show_bars
    from lepbench.embedded import ASSETS
    from lepbench.mini.cards import write_cards
    from lepbench.mini.gates import measure

    with show_bars() as progress:
        measured = measure(models or ASSETS, progress, count, names)
    if cards:
        write_cards(models or ASSETS, measured)
    if as_json:
        click.echo(json.dumps([{**gate.model_dump(), "met": gate.met} for gate in measured], indent=1))
        return
    for gate in measured:
        verdict = (
            "reported"
            if gate.threshold is None
            else f"{'met' if gate.met else 'MISSED'} (>= {gate.threshold})"
        )
        click.echo(f"{gate.name:<36} {gate.value:.3f}  {verdict}")


@command.command()
@click.option("--judge", type=click.Path(path_type=Path), help="Folder of the judge  [default: shipped].")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The safetensors file to write.")
@json_option
def statistics(judge: Path | None, out: Path, as_json: bool) -> None:
    """Write the judge's features of 10,000 test renders, for FID and KID."""
    from lepbench.judges.paths import JUDGE
    from lepbench.mini.statistics import judge_statistics

    judge_statistics(judge or JUDGE, out)
    print_result(str(out), {"out": str(out)}, as_json)
