"""`lepbench leaderboard site`: leaderboards as static pages."""

from __future__ import annotations

from pathlib import Path

import click

from lepbench.cli.console import json_option, print_result, say_note


@click.command("site")
@click.argument(
    "leaderboards", type=click.Path(path_type=Path), default=Path("leaderboards"), metavar="[LEADERBOARDS]"
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder of the site."
)
@click.option(
    "--runs",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder in which runs lie, at any depth; may be given several times.",
)
@click.option("--title", default="Leaderboards", show_default=True, help="What heads the first page.")
@json_option
def site_command(leaderboards: Path, out: Path, runs: tuple[Path, ...], title: str, as_json: bool) -> None:
    """Write the boards in the folder LEADERBOARDS [default: leaderboards] as static pages.

    A page a suite has its boards as tables that can be sorted and filtered, and holds any two models side by
    side; a page a model has its lines on all boards. The pages open from a file, load nothing from elsewhere,
    and are a static Space of the hub as they are.

    With --runs the runs that lines were made of give them a report with pictures and the cost of a picture,
    and any two models paired differences, which also decide the ranks.

    \b
    Examples:
      lepbench leaderboard site --out site
      lepbench leaderboard site my-boards --out site --runs runs
    """
    from lepbench.api.reports import write_site

    left = write_site(leaderboards, out, runs=runs, title=title)
    if left:
        say_note(f"runs on no board: {len(left)}, first of {left[0]}")
    facts = {"out": str(out), "index": str(out / "index.html"), "on_no_board": [str(run) for run in left]}
    print_result(f"wrote {out}: open {out / 'index.html'}", facts, as_json)
