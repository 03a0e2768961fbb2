"""Markdown and HTML from the templates of a package."""

from __future__ import annotations

from typing import Any


def render(package: str, template: str, **values: Any) -> str:
    """A Jinja template of a package as Markdown; a name it asks for and is not given is an error."""
    return _fill(package, template, values, escaped=False)


def render_html(package: str, template: str, **values: Any) -> str:
    """The same as HTML: what a value holds is text, unless it is `markupsafe.Markup`."""
    return _fill(package, template, values, escaped=True)


def _fill(package: str, template: str, values: dict[str, Any], *, escaped: bool) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package, "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=escaped,
    )
    return environment.get_template(template).render(**values)
