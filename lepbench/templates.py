"""Markdown and HTML from the templates of a package."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def render(package: str, template: str, **values: Any) -> str:
    """A Jinja template of a package as Markdown; a name it asks for and is not given is an error."""
    return _make_environment(package, escaped=False).get_template(template).render(**values)


def render_html(package: str, template: str, **values: Any) -> str:
    """The same as HTML: what a value holds is text, unless it is `markupsafe.Markup`."""
    return _make_environment(package, escaped=True).get_template(template).render(**values)


@cache
def _make_environment(package: str, *, escaped: bool) -> Environment:
    """Kept, so that a template is compiled once."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(package, "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=escaped,
    )
