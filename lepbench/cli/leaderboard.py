"""`lepbench leaderboard`: maintain leaderboard CSVs."""

from __future__ import annotations

from pathlib import Path

import click

from lepbench.cli.leaderboard_audit import audit_command
from lepbench.cli.leaderboard_submit import submit_command
from lepbench.cli.table import add_format_options, split_names, write_table
from lepbench.cli.verbs import VerbGroup
from lepbench.errors import LepbenchError


@click.group(cls=VerbGroup)
def command() -> None:
    """Maintain leaderboard CSVs, one per suite and protocol.

    \b
    Examples:
      lepbench leaderboard add runs/mini-lep
      lepbench leaderboard show sketchworld-edges-v1/lepbench-edges-v1
      lepbench leaderboard audit sketchworld-edges-v1/lepbench-edges-v1 --secret secret.bin
    """


command.add_command(audit_command)
command.add_command(submit_command)

leaderboards_option = click.option(
    "--leaderboards",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("leaderboards"),
    show_default=True,
    help="Folder of leaderboards.",
)


@command.command("add")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@leaderboards_option
@click.option("--suite", help="A suite's name, or a folder of one  [default: the record's].")
@click.option("--protocol", help="A protocol's name, or a YAML file of terms  [default: the record's name].")
@click.option("--judges", help="A YAML file of judges, as for evaluate  [default: the record's].")
@click.option(
    "--statistics", type=click.Path(path_type=Path), help="Folder of statistics  [default: the record's]."
)
@click.option("--replace", is_flag=True, help="Replace another record of the same model name.")
def add_command(
    folders: tuple[Path, ...],
    leaderboards: Path,
    suite: str | None,
    protocol: str | None,
    judges: str | None,
    statistics: Path | None,
    replace: bool,
) -> None:
    """Verify each run in DIR against its samples and add its model to LEADERBOARDS/SUITE/PROTOCOL.csv.

    An unpacked submission is a run, and every file of it must be the one that its manifest names.
    Models stand by the figure that the protocol ranks by, or by name where no figure ranks. A suite that a
    set made is found beside its runs.

    Adding a record twice changes nothing. Runs of another protocol, suite or number of samples are not
    comparable with those on the board and are refused, each with its reason and exit code 2; the others are
    added.

    \b
    Examples:
      lepbench leaderboard add runs/mini-lep
      lepbench leaderboard add runs/mini-lep --replace
      lepbench leaderboard add runs/questions/sketchworld-*/*/*
    """
    from lepbench.evaluation.record import read_record
    from lepbench.evaluation.terms import find_protocol, find_suite
    from lepbench.publishing.leaderboard import add_record
    from lepbench.publishing.submission import MANIFEST, check_submission

    def add(folder: Path) -> str:
        if (folder / MANIFEST).is_file():
            check_submission(folder)
        found = read_record(folder)
        chosen = find_suite(found, folder, suite)
        terms = find_protocol(found, chosen, protocol, judges=judges, reference=statistics)
        path, changed = add_record(folder, leaderboards, chosen, protocol=terms, replace=replace)
        return f"added to {path}" if changed else f"already in {path}"

    if len(folders) == 1:
        click.echo(add(folders[0]))
        return
    refused = 0
    for folder in folders:
        try:
            click.echo(f"{folder}: {add(folder)}")
        except LepbenchError as error:
            refused += 1
            click.echo(f"{folder}: refused: {error}", err=True)
    if refused:
        raise LepbenchError(f"{refused} of {len(folders)} runs were refused", "see the lines above")


@command.command("show")
@click.argument("board", required=False, metavar="[SUITE/PROTOCOL]")
@leaderboards_option
@add_format_options
def show_command(
    board: str | None, leaderboards: Path, kind: str, metrics: str | None, intervals: bool, out: Path | None
) -> None:
    """Print a leaderboard as a table, or list the leaderboards there are.

    \b
    Examples:
      lepbench leaderboard show
      lepbench leaderboard show sketchworld-edges-v1/lepbench-edges-v1
      lepbench leaderboard show sketchworld-edges-v1/lepbench-edges-v1 --format markdown --metrics kid
    """
    from lepbench.publishing.board_table import describe_boards, find_board, tabulate_board

    if board is None:
        click.echo("".join(f"{line}\n" for line in describe_boards(leaderboards)), nl=False)
        return
    table = tabulate_board(find_board(leaderboards, board), metrics=split_names(metrics))
    write_table(table, kind, intervals=intervals, out=out)
