"""The version of this package, and which texts are versions of it."""

from __future__ import annotations

import re

__version__ = "0.1.0"
"""The version of this package."""
VERSION = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})[.a-z0-9+]{0,20}")


def is_version(text: str) -> bool:
    """Whether a text is a version of this package, this one or an earlier one."""
    stated, here = VERSION.fullmatch(text), VERSION.fullmatch(__version__)
    if text == __version__ or stated is None or here is None:
        return text == __version__
    return [int(part) for part in stated.groups()] <= [int(part) for part in here.groups()]
