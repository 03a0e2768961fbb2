"""`lepbench leaderboard submit`: pack a run for a leaderboard."""

from __future__ import annotations

from pathlib import Path

import click

from lepbench.cli.console import json_option, print_result, say_note


@click.command("submit")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder to write, or a file NAME.zip."
)
@click.option("--licence", required=True, help="Of the pictures: an SPDX identifier, such as CC-BY-4.0.")
@click.option("--contact", required=True, help="Your address of mail, or of a page (https://).")
@click.option("--suite", help="A suite's name, or a folder of one  [default: the record's].")
@click.option("--protocol", help="A protocol's name, or a YAML file of terms  [default: the record's name].")
@json_option
def submit_command(
    folder: Path,
    out: Path,
    licence: str,
    contact: str,
    suite: str | None,
    protocol: str | None,
    as_json: bool,
) -> None:
    """Pack the run in DIR for a leaderboard: record, samples, features, pictures, licence and contact.

    A suite that does not ship is not packed: whoever adds the run needs its folder.
    The run is checked as `leaderboard add` checks it, and refused if a board would not take it.
    submission.json names every file with its SHA-256. `leaderboard add` takes the unpacked folder, and
    refuses one whose files are others.

    \b
    Examples:
      lepbench leaderboard submit runs/mini-lep --out mini-lep.zip --licence CC-BY-4.0 --contact me@there.org
      lepbench leaderboard submit runs/mini-lep --out packed --licence CC0-1.0 --contact https://there.org/me
    """
    from lepbench.evaluation.record import read_record
    from lepbench.evaluation.terms import find_protocol, find_suite
    from lepbench.publishing.submission import pack_submission
    from lepbench.suites import list_shipped

    found = read_record(folder)
    chosen = find_suite(found, folder, suite)
    terms = find_protocol(found, chosen, protocol)
    made = pack_submission(folder, out, chosen, licence=licence, contact=contact, protocol=terms)
    if chosen.name not in list_shipped():
        note = f"note: suite {chosen.name!r} does not ship and is not packed"
        say_note(f"{note}: send its folder {chosen.folder}, too")
    name = found.identity.model.name
    print_result(
        f"{out}: {len(made.files)} files of {name}, record {made.record[:12]}",
        {"out": str(out), "model": name, "files": len(made.files), "record": made.record},
        as_json,
    )
