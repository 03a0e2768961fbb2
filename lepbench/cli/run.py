"""`lepbench run`: a set of models on a set of suites."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lepbench.cli.console import json_option, print_result, say_note
from lepbench.cli.engine_options import engine_options
from lepbench.cli.inputs import check_documents

if TYPE_CHECKING:
    from lepbench.engines import Engine
    from lepbench.run_sets.outcome import SetOutcome
    from lepbench.run_sets.plan import Plan


@click.command()
@click.argument("sets", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SET.yaml...")
@click.option("--only", metavar="PATTERN", help="Models to evaluate now, such as 'lep-*'  [default: all].")
@click.option(
    "--quick", is_flag=True, help="First two items of each suite, with their variants, into OUT-quick."
)
@click.option("--dry-run", is_flag=True, help="List the runs that are done and missing, and do none.")
@engine_options("Runs done at once")
@click.option("--log-to", help="Show each run in tensorboard, wandb or trackio, too.")
@click.option(
    "--lock",
    type=click.Path(path_type=Path),
    help="Lockfile of 'lepbench prefetch': its commits are loaded, and its files must be here.",
)
@json_option
def command(
    sets: tuple[Path, ...],
    only: str | None,
    quick: bool,
    dry_run: bool,
    engine: str | None,
    workers: int | None,
    log_to: str | None,
    lock: Path | None,
    as_json: bool,
) -> None:
    """Evaluate every model of SET.yaml on every suite, and set the runs in one table.

    Keys that list several values under 'sweep' make a model of each combination. Runs that are done are read
    back: the same command resumes a set that was stopped, does what was added to its file since, and tries
    again what failed. A run that fails is listed at the end, with exit code 1, and the others are done. The
    set's folder gets table.csv, table.md and a PNG for each of its plots. Suites that the file describes are
    made first, as by 'suite make'. --quick is a first look at the whole set in a folder of its own. Several
    sets are all checked before the first is begun.

    \b
    Examples:
      lepbench run examples/trade-off.yaml --dry-run
      lepbench run examples/trade-off.yaml
      lepbench run examples/contestants.yaml examples/questions.yaml --quick
      lepbench run examples/trade-off.yaml --workers 4
      lepbench run examples/trade-off.yaml --only 'lep-scale-0.8*'

    \b
    A file:
      name: trade-off
      suites:
        - sketchworld-edges-v1
        - {make: completion, of: sketchworld-freehand-v1, name: unfinished, items: 24}
      limit: 16
      models:
        - examples/mini-unguided.yaml
        - use: examples/mini-lep-fast.yaml
          name: lep
          sweep: {method.scale: [0.4, 0.8, 1.2], method.stop: [0.2, 0.5]}
      plots:
        - {x: method.scale, y: faithful_f1}
    """
    check_documents(*sets)
    from lepbench.engines import choose_engine

    runner = choose_engine(engine, workers)
    from lepbench.api.preparing import pinning
    from lepbench.run_sets.plan import make_plan

    with pinning(lock):
        plans = [make_plan(path, only, quick=quick) for path in sets]
        if dry_run:
            print_result("\n".join(plan.describe() for plan in plans), list(map(_list_runs, plans)), as_json)
            return
        outcomes = [_perform(plan, runner, log_to, as_json) for plan in plans]
    if any(outcome.failed for outcome in outcomes):
        sys.exit(1)


def _list_runs(plan: Plan) -> dict[str, Any]:
    """What there is to do of a set."""
    runs, states = plan.list_selected()
    listed = [{"run": run.name, "state": str(state)} for run, state in zip(runs, states, strict=True)]
    return {"set": plan.config.name, "suites_to_be_made": [one.name for one in plan.planned], "runs": listed}


def _perform(plan: Plan, engine: Engine, log_to: str | None, as_json: bool) -> SetOutcome:
    """Do what is missing of a set, and print its tables, or a line of JSON, and where its files lie."""
    from lepbench.api.sets import finish_plan, follow_runs

    outcome = finish_plan(plan, follow_runs(True), engine, log_to)
    fronts = [front.describe() for front in outcome.fronts]
    if as_json:
        rows = json.loads(outcome.frame.to_json(orient="records"))
        click.echo(json.dumps({"folder": str(outcome.folder), "rows": rows, "failed": outcome.failed}))
    else:
        click.echo(outcome.format_tables(intervals=plan.config.table.intervals), nl=False)
        click.echo("".join(f"{front}\n" for front in fronts), nl=False)
    for note in outcome.notes:
        say_note(note)
    _say_where(outcome)
    return outcome


def _say_where(outcome: SetOutcome) -> None:
    if outcome.records:
        say_note(f"wrote {outcome.folder}: {', '.join(outcome.files)}")
    for name, reason in outcome.failed.items():
        click.echo(f"failed: {name}: {reason}", err=True)
    if outcome.failed:
        say_note("run the same command again to retry what failed")
