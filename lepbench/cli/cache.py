"""`lepbench cache`: the reference conditions that runs keep for each other."""

from __future__ import annotations

import json
from datetime import datetime

import click

from lepbench.cli.console import json_option, print_result, say_note
from lepbench.cli.verbs import VerbGroup


@click.group(cls=VerbGroup)
def command() -> None:
    """List or clear the reference conditions that runs keep for each other.

    A run keeps its unguided and VAE pictures, which every run of the same backbone on the same suite shows,
    in $LEPBENCH_CACHE/references. Pictures are links to those of the run that drew them. Beyond
    $LEPBENCH_REFERENCES_GB (20) what was not used for longest is removed.
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def list_command(as_json: bool) -> None:
    """List what is kept, with sizes, the one used last first."""
    from lepbench.evaluation.reference_store import find_store, list_kept, read_limit
    from lepbench.files import format_bytes

    kept = list_kept()
    if as_json:
        click.echo(json.dumps([one._asdict() for one in kept]))
        return
    for one in kept:
        used = datetime.fromtimestamp(one.used).strftime("%Y-%m-%d %H:%M")
        click.echo(f"{one.key[:16]}  {format_bytes(one.bytes):>9}  used {used}")
    total = format_bytes(sum(one.bytes for one in kept))
    say_note(f"{len(kept)} in {find_store()}: {total} of at most {format_bytes(read_limit())}")


@command.command("clear")
@click.option(
    "--keep",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="GB of those used last to keep.",
)
@json_option
def clear_command(keep: float, as_json: bool) -> None:
    """Remove what is kept; runs that are done keep their own pictures."""
    from lepbench.evaluation.reference_store import limit_store
    from lepbench.files import format_bytes

    removed = limit_store(int(keep * 1e9))
    size = sum(one.bytes for one in removed)
    facts = {"removed": len(removed), "bytes": size}
    print_result(f"removed {len(removed)}: {format_bytes(size)}", facts, as_json)
