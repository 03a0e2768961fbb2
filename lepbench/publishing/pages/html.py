"""Pages that hold all they need: style and script stand in the file, and nothing else is allowed to run."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from lepbench.templates import render_html
from lepbench.version import __version__

PACKAGE = "lepbench.publishing.pages"
STYLE = "page.css"


def render_page(template: str, script: str, **values: Any) -> str:
    """A page of a template, with the style of all pages and a script.

    The page's policy names both by their hashes: a browser loads pictures that stand in the page or beside
    it, and neither runs nor fetches anything else.

    Args:
        script: a file of this package.
    """
    style, code = _read(STYLE), _read(script)
    policy = (
        f"default-src 'none'; img-src 'self' data: file:; style-src {_hash(style)}; "
        f"script-src {_hash(code)}; base-uri 'none'; form-action 'none'"
    )
    return render_html(
        PACKAGE,
        template,
        policy=policy,
        style=Markup(style),
        script=Markup(code),
        version=__version__,
        **values,
    )


def make_data_address(content: bytes, kind: str) -> str:
    """Bytes as an address that holds them.

    Args:
        kind: the media type, such as `image/webp`.
    """
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


@cache
def _read(name: str) -> str:
    return files(PACKAGE).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
