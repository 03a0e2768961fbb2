"""The detector that an identity names, as data sets record it."""

from __future__ import annotations

import ast
import re
from typing import Any

from lepbench.detectors.base import Detector, identify_detector, select_detector
from lepbench.errors import LepbenchError

IDENTITY = re.compile(r"(?P<name>[^@]+)@(?P<version>[^(]+)\((?P<settings>.*)\)")
NEXT = re.compile(r",(?=\w+=)")
"""Between two settings."""


def restore_detector(identity: str) -> Detector:
    """The detector of an `identify_detector` line, with every setting, and its weights by their hash.

    Raises:
        LepbenchError: there is none of that name here, its version is another, or its weights are missing.
    """
    found = IDENTITY.fullmatch(identity)
    if found is None:
        raise LepbenchError(
            f"{identity!r} identifies no detector", "give a line such as 'canny@1(high=0.6,low=0.3)'"
        )
    try:
        detector = select_detector({"name": found["name"], **_read_settings(found["settings"])})
        here = identify_detector(detector)
    except LepbenchError as error:
        raise LepbenchError(
            f"detector {identity} is not here: {error}", "install what registers it"
        ) from error
    if here != identity:
        raise LepbenchError(
            f"detector {identity} is not here, but {here}",
            "use the version of lepbench, and the weights, that made the record",
        )
    return detector


def _read_settings(text: str) -> dict[str, Any]:
    pairs = (pair.partition("=")[::2] for pair in NEXT.split(text) if pair)
    settings = {key: _read_value(value) for key, value in pairs}
    weights = settings.pop("weights", None)
    return settings if weights is None else settings | {"sha256": str(weights).removeprefix("sha256:")}


def _read_value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
