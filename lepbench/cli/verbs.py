"""Groups of commands that suggest the nearest one for a misspelt name."""

from __future__ import annotations

import click

from lepbench.errors import LepbenchError
from lepbench.registry import suggest_name


class VerbGroup(click.Group):
    """A group of commands that answers a name it does not know with the nearest one, in one line."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, verbs = args[0], self.list_commands(ctx)
        if name not in verbs and not name.startswith("-"):
            within = f" of {ctx.info_name!r}" if ctx.parent else ""
            raise LepbenchError(f"no command {name!r}{within}", suggest_name(name, verbs))
        return super().resolve_command(ctx, args)
