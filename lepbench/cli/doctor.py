"""`lepbench doctor`: the state of this installation, and what configurations still lack."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from lepbench.cli.inputs import DEFAULT_SUITE
from lepbench.errors import LepbenchError


@click.command("doctor")
@click.argument("models", nargs=-1, type=click.Path(path_type=Path), metavar="[MODEL.yaml]...")
@click.option(
    "--suite",
    help=f"A suite's name, or a folder of one  [default: {DEFAULT_SUITE}].",
)
@click.option("--protocol", help="A protocol's name, or a YAML file of terms  [default: the suite's].")
@click.option("--judges", help="A YAML file of judges instead of the protocol's, or none.")
@click.option(
    "--lock", type=click.Path(path_type=Path), help="A lockfile of 'lepbench prefetch' to hold files against."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    models: tuple[Path, ...],
    suite: str | None,
    protocol: str | None,
    judges: str | None,
    lock: Path | None,
    as_json: bool,
) -> None:
    """Print versions, devices, memory, caches, and whether the embedded models are whole.

    Of each MODEL.yaml what an evaluation on SUITE still lacks: weights of the backbone, the control module or
    the predictor, of judges and detectors, statistics, packages; a line each with the command that brings it.
    Nothing is fetched. The exit code is 0 if nothing is wrong, and 1 otherwise.

    \b
    Examples:
      lepbench doctor
      lepbench doctor model.yaml --suite photographs
      lepbench doctor --lock lepbench.lock.yaml --json
    """
    from lepbench.api.installation import check_installation, check_lockfile, check_model
    from lepbench.api.needs import Planned

    if not models and (suite or protocol or judges):
        raise LepbenchError("--suite, --protocol and --judges say what a MODEL.yaml needs", "name one")
    checks = list(check_installation())
    for model in models:
        checks += check_model(Planned(model, suite or DEFAULT_SUITE, protocol, judges))
    if lock is not None:
        checks.append(check_lockfile(lock))
    ok = not any(check.fix for check in checks)
    if as_json:
        click.echo(json.dumps({"ok": ok, "checks": [check._asdict() for check in checks]}))
    else:
        width = max(len(check.subject) for check in checks)
        for check in checks:
            click.echo(f"{check.subject:<{width}}  {check.said}{f'; {check.fix}' if check.fix else ''}")
    if not ok:
        sys.exit(1)
