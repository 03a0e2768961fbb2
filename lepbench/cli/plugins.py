"""The options `--import` and `--trust-code` of every subcommand: external code, by module or file."""

from __future__ import annotations

import click

from lepbench.plugins import IMPORT
from lepbench.trust import TRUST, trusting_code


def accept_plugins(command: click.Command) -> click.Command:
    """The command, and every command below it, with both options."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            accept_plugins(below)
    elif not any("--import" in option.opts for option in command.params):
        command.params += [_make_trust(), _make_import()]
    return command


def _make_import() -> click.Option:
    return click.Option(
        ["--import", "imported"],
        multiple=True,
        metavar="MODULE",
        expose_value=False,
        callback=_import,
        help=f"Module or .py file of plug-ins to import first. Repeatable; ${IMPORT} names more.",
    )


def _make_trust() -> click.Option:
    return click.Option(
        ["--trust-code"],
        is_flag=True,
        # Before --import, wherever it stands.
        is_eager=True,
        envvar=TRUST,
        expose_value=False,
        callback=_trust,
        help="Run code of --import or 'method: python' that has not run here before.",
    )


def _trust(context: click.Context, option: click.Parameter, given: bool) -> None:
    if given:
        context.with_resource(trusting_code())


def _import(context: click.Context, option: click.Parameter, names: tuple[str, ...]) -> None:
    from lepbench.plugins import remember_import

    for name in names:
        remember_import(name)
