"""Checks of numbers of things that a caller gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from lepbench.errors import LepbenchError


def require_whole(name: str, value: Any, least: int | None = None, things: str = "things") -> None:
    """Refuse what is no whole number, or below the least there may be.

    Args:
        things: what is counted, for the message.

    Raises:
        LepbenchError: it is.
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or (least is not None and value < least):
        bound = "" if least is None else f" from {least} up"
        raise LepbenchError(f"{name}={value!r} is no number of {things}", f"give a whole number{bound}")
