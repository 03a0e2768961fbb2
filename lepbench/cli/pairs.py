"""`--set KEY=VALUE` and similar command-line options."""

from __future__ import annotations

from typing import Any

from lepbench.errors import LepbenchError


def parse_pair(text: str, option: str = "--set") -> tuple[str, Any]:
    """`KEY=VALUE` of an option, the value parsed as YAML.

    Raises:
        LepbenchError: it is no such pair.
    """
    import yaml

    from lepbench.documents import parse_yaml

    key, separator, value = text.partition("=")
    if not separator or not key:
        raise LepbenchError(f"{option} {text!r} is no setting", f"write {option} KEY=VALUE")
    try:
        return key, parse_yaml(value)
    except (yaml.YAMLError, ValueError):
        return key, value
