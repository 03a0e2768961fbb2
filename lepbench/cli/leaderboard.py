"""`lepbench leaderboard`: maintain leaderboard CSVs."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from lepbench.cli.console import json_option, print_result
from lepbench.cli.leaderboard_audit import audit_command
from lepbench.cli.leaderboard_site import site_command
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
      lepbench leaderboard check
      lepbench leaderboard audit sketchworld-edges-v1/lepbench-edges-v1 --secret secret.bin
    """


command.add_command(audit_command)
command.add_command(submit_command)
command.add_command(site_command)

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
@click.option("--images", is_flag=True, help="Score images by judges that do not ship, too.")
@click.option(
    "--redraw", type=click.IntRange(min=1), metavar="N", help="Also draw N items anew, and compare."
)
@click.option("--guard", type=click.Path(path_type=Path), help="Folder of another guard than ships.")
@click.option("--device", default="auto", show_default=True, help="Where networks run: cpu, cuda or auto.")
@click.option("--replace", is_flag=True, help="Replace another record of the same model name.")
@json_option
def add_command(
    folders: tuple[Path, ...],
    leaderboards: Path,
    suite: str | None,
    protocol: str | None,
    judges: str | None,
    statistics: Path | None,
    images: bool,
    redraw: int | None,
    guard: Path | None,
    device: str,
    replace: bool,
    as_json: bool,
) -> None:
    """Verify each run in DIR against its samples and add its model to LEADERBOARDS/SUITE/PROTOCOL.csv.

    Every image is scored again by the measures that need no judge, and by the judges where all of them ship;
    with --images by any. The line says how far the run was checked: self-reported where judges did not score
    its images again or the images were drawn elsewhere, verified where they did, redrawn after --redraw.

    An unpacked submission is a run, and every file of it must be the one that its manifest names; a folder
    without a manifest must hold the run.json of its record.
    Models stand by the figure that the protocol ranks by, or by name where no figure ranks. A suite that a
    set made is found beside its runs.

    Adding a record twice changes nothing. Runs of another protocol, suite or number of samples are not
    comparable with those on the board and are refused, each with its reason and exit code 2; the others are
    added.

    \b
    Examples:
      lepbench leaderboard add runs/mini-lep
      lepbench leaderboard add runs/mini-lep --replace --redraw 4
      lepbench leaderboard add runs/questions/sketchworld-*/*/*
    """
    from lepbench.backbones import choose_device
    from lepbench.bars import show_bars
    from lepbench.evaluation.guard import make_guard
    from lepbench.evaluation.judges import ships_judges
    from lepbench.evaluation.last_judges import LastJudges
    from lepbench.evaluation.record import read_record
    from lepbench.evaluation.recount import Known
    from lepbench.evaluation.terms import find_protocol, find_suite, require_known_programs
    from lepbench.progress import ignore_progress
    from lepbench.publishing.leaderboard import add_record
    from lepbench.publishing.submission import check_source

    known: Known = {}
    load_judges = LastJudges(str(choose_device(device)))
    own_guard = None if guard is None else make_guard(guard)

    def add(folder: Path) -> dict[str, Any]:
        if folder.is_file():
            raise LepbenchError(f"{folder} is a file", "unpack it, and give the folder")
        found = read_record(folder)
        check_source(folder, found)
        chosen = find_suite(found, folder, suite)
        terms = find_protocol(found, chosen, protocol, judges=judges, reference=statistics)
        loaded = None
        if images or ships_judges(terms):
            require_known_programs(found, terms)
            loaded = load_judges(terms)
        # Not where stderr is a file: a run that is refused leaves one line there.
        shown = show_bars(transient=True) if sys.stderr.isatty() else nullcontext(ignore_progress)
        with shown as progress:
            path, changed = add_record(
                folder,
                leaderboards,
                chosen,
                protocol=terms,
                judges=loaded,
                redraw=redraw or 0,
                device=device,
                replace=replace,
                known=known,
                guard=own_guard,
                progress=progress,
            )
        return {"folder": str(folder), "board": str(path), "added": changed}

    def say(done: dict[str, Any]) -> None:
        text = f"{'added to' if done['added'] else 'already in'} {done['board']}"
        print_result(text if len(folders) == 1 else f"{done['folder']}: {text}", done, as_json)

    refused = 0
    for folder in folders:
        try:
            say(add(folder))
        except LepbenchError as error:
            if len(folders) == 1:
                raise
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

    The lines of a board are checked first; lepbench leaderboard check also holds its terms against the suite
    and protocol. Self-reported lines stand below those that
    were checked, and are not marked as the best beside them.

    \b
    Examples:
      lepbench leaderboard show
      lepbench leaderboard show sketchworld-edges-v1/lepbench-edges-v1
      lepbench leaderboard show sketchworld-edges-v1/lepbench-edges-v1 --format markdown --metrics kid
    """
    from lepbench.publishing.board_cells import check_lines
    from lepbench.publishing.board_table import describe_boards, find_board, tabulate_board

    if board is None:
        found = describe_boards(leaderboards)
        print_result("\n".join(map(str, found)), [one._asdict() for one in found], kind == "json")
        return
    path = find_board(leaderboards, board)
    check_lines(path)
    table = tabulate_board(path, metrics=split_names(metrics))
    write_table(table, kind, intervals=intervals, out=out)


@command.command("check")
@click.argument(
    "leaderboards", type=click.Path(path_type=Path), default=Path("leaderboards"), metavar="[LEADERBOARDS]"
)
@json_option
def check_command(leaderboards: Path, as_json: bool) -> None:
    """Check every board in the folder LEADERBOARDS  [default: leaderboards].

    Checked are headers, numbers and their ranges, the order, hashes against the suites and protocols that
    ship, that the terms beside a board are those of its lines, and names that occur twice or look alike. The
    check stops at the first fault with exit code 2.

    \b
    Examples:
      lepbench leaderboard check
      lepbench leaderboard check my-boards
    """
    from lepbench.publishing.board_check import check_boards

    boards = check_boards(leaderboards)
    lines = [*boards, f"{leaderboards}: boards in order: {len(boards)}"]
    print_result("\n".join(lines), {"leaderboards": str(leaderboards), "boards": list(boards)}, as_json)
