"""The `lepbench` command: one file per subcommand, each imported only when it is called."""

from __future__ import annotations

import errno
import importlib
import os
import sys
import traceback
from typing import Any

import click

from lepbench import __version__
from lepbench.cli.plugins import accept_plugins
from lepbench.cli.verbosity import accept_verbosity, is_verbose, make_verbosity, silence_environment
from lepbench.cli.verbs import VerbGroup
from lepbench.errors import LepbenchError

VERBS = {
    "build-data": ("build_data", "Build an edge-map triplet dataset from a captioned corpus."),
    "cache": ("cache", "List or clear the reference conditions that runs keep for each other."),
    "compare": ("compare", "Hold finished runs against each other."),
    "data": ("data", "Check a triplet folder, export it, push it to the hub."),
    "doctor": ("doctor", "Check this installation, and what configurations still lack."),
    "draw": ("draw", "Draw in the browser, and watch the picture follow."),
    "evaluate": ("evaluate", "Score a model on a suite: table, record, pictures."),
    "hub": ("hub", "Write what the hub shows of a benchmark and of a model's results."),
    "leaderboard": ("leaderboard", "Keep leaderboard CSVs."),
    "list": ("list", "List what there is to choose from."),
    "merge": ("merge", "Make one run of the shards of a job array."),
    "mini": ("mini", "Train and check the embedded models."),
    "plot": ("plot", "Plot finished runs: curves, tolerances, fronts, as PDF, SVG or PNG."),
    "prefetch": ("prefetch", "Fetch ahead what a run needs, or the weights of a detector."),
    "report": ("report", "Write the report of finished runs: one HTML file to look at and to send."),
    "run": ("run", "Evaluate a set of models on suites: what is missing, one table, plots."),
    "score": ("score", "Score files that others made: edge maps, pictures, sketches."),
    "sample": ("sample", "Draw one picture from a prompt and a sketch."),
    "statistics": ("statistics", "Keep judges' features of real pictures for comparisons."),
    "suite": ("suite", "List suites, make one of drawings, rebuild a shipped one, export one."),
    "table": ("table", "Set finished runs in one table: Markdown, LaTeX, CSV."),
    "verify": ("verify", "Check that a run's figures follow from its samples."),
    "train-lep": ("train_lep", "Train a latent edge predictor."),
}


class LazyGroup(VerbGroup):
    """Lists the subcommands without importing them, so that `lepbench --help` does not import torch."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"lepbench.cli.{VERBS[cmd_name][0]}").command
        # Their functions are all called `command`.
        command.name = cmd_name
        return accept_verbosity(accept_plugins(command))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LepbenchError:
            if is_verbose(ctx):
                traceback.print_exc()
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, VERBS[name][1]) for name in self.list_commands(ctx)])


@click.command(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, params=make_verbosity()
)
@click.version_option(__version__, prog_name="lepbench")
def lepbench() -> None:
    """Build sketch triplets, train latent edge predictors, and score sketch-guided diffusion.

    \b
    A first run, with nothing but this package:
      lepbench evaluate examples/mini-lep.yaml --out runs/mini-lep
      lepbench leaderboard add runs/mini-lep
    """


def main() -> None:
    """Run the command; every expected error is printed as one line on stderr with exit code 2."""
    silence_environment()
    try:
        lepbench.main(standalone_mode=False)
    except click.ClickException as error:
        click.echo(f"lepbench: {error.format_message()}", err=True)
        sys.exit(2)
    except LepbenchError as error:
        click.echo(f"lepbench: {error}", err=True)
        sys.exit(LepbenchError.exit_code)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        click.echo(
            f"lepbench: {LepbenchError(f'no file has a name as long as {error.filename!r}')}", err=True
        )
        sys.exit(LepbenchError.exit_code)
    except (click.Abort, KeyboardInterrupt) as error:
        # click takes an early end of any file for the end of the user's input.
        if isinstance(error.__cause__, EOFError):
            raise error.__cause__ from None
        click.echo("lepbench: interrupted; run the same command again to continue", err=True)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
