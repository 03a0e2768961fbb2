"""The options `--quiet` and `--verbose` of every subcommand: how much is said beside results."""

from __future__ import annotations

import os

import click

from lepbench.quiet import Level, saying

LEVEL = "lepbench.level"
"""What the outermost context calls it."""
SILENCE = {
    "DIFFUSERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
}
"""Variables that suppress progress bars and messages of the libraries."""


def silence_environment() -> None:
    """Suppress bars and messages of the libraries, which are yet to be imported, unless the user set them."""
    for name, value in SILENCE.items():
        os.environ.setdefault(name, value)


def accept_verbosity(command: click.Command) -> click.Command:
    """The command, and every command below it, with both options."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            accept_verbosity(below)
    elif not any("--quiet" in option.opts for option in command.params):
        command.params += make_verbosity()
    return command


def make_verbosity() -> list[click.Parameter]:
    """Both options."""
    return [
        _make("--quiet", "-q", Level.QUIET, "No progress and no notes: results and errors alone."),
        _make("--verbose", "-v", Level.VERBOSE, "Also what other libraries say, and where an error arose."),
    ]


def is_verbose(context: click.Context) -> bool:
    """Whether `--verbose` was given, before or after the subcommand's name."""
    return context.find_root().meta.get(LEVEL) is Level.VERBOSE


def _make(name: str, short: str, level: Level, about: str) -> click.Option:
    def choose(context: click.Context, option: click.Parameter, given: bool) -> None:
        meta = context.find_root().meta
        if not given or meta.get(LEVEL) is level:
            return
        if LEVEL in meta:
            raise click.UsageError("--quiet and --verbose exclude each other")
        meta[LEVEL] = level
        if level is Level.VERBOSE:
            for variable in SILENCE:
                os.environ.pop(variable, None)
        context.with_resource(saying(level))

    return click.Option(
        [short, name], is_flag=True, is_eager=True, expose_value=False, callback=choose, help=about
    )
