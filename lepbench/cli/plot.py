"""`lepbench plot`: finished runs as a plot for a paper."""

from __future__ import annotations

from pathlib import Path

import click

from lepbench.cli.console import json_option, print_result
from lepbench.cli.inputs import check_runs
from lepbench.cli.table import split_names

KINDS = ("curves", "tolerance", "front")
"""As in `lepbench.publishing.run_plots`, which is imported when a plot is drawn."""


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="File to write: .pdf, .svg or .png.",
)
@click.option("--metrics", help="Figures, such as edge_f1,paired_f1  [default: all of the kind].")
@click.option(
    "--rows",
    default="model",
    show_default=True,
    help="Rows: model, unguided, real, vae, overlay, wrong_sketch.",
)
@json_option
def command(
    kind: str, runs: tuple[Path, ...], out: Path, metrics: str | None, rows: str, as_json: bool
) -> None:
    """Plot the runs in DIR..., which are of one suite and protocol.

    curves are of figures over the levels of a suite of variants, tolerance of edge figures over the tolerance
    in pixels, and front of two figures against each other, with the runs that no other dominates joined.
    Bars are intervals. Curves differ by mark as well as by colour, and the fonts of a PDF are embedded.

    \b
    Examples:
      lepbench plot tolerance runs/mini-lep runs/mini-unguided --metrics edge_f1 --out edges.pdf
      lepbench plot front runs/* --metrics mask_iou,clip_skill --out front.pdf
      lepbench plot curves runs/abstraction --metrics mask_iou --rows model,real --out levels.svg
    """
    check_runs(runs)
    from lepbench.publishing.run_plots import plot_runs

    plot_runs(kind, runs, out, metrics=split_names(metrics), rows=split_names(rows))
    print_result(str(out), {"out": str(out)}, as_json)
