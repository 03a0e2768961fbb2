"""Markdown from the templates of a package."""

from __future__ import annotations

from typing import Any


def render(package: str, template: str, **values: Any) -> str:
    """A Jinja template of a package, filled; a name it asks for and is not given is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package, "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template(template).render(**values)
