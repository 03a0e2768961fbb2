"""A model's keys with lists of values -> one model a combination, each with a readable name of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import PurePosixPath
from typing import Any

from lepbench.errors import LepbenchError
from lepbench.methods import ModelConfig
from lepbench.registry import suggest_name

Settings = dict[str, Any]
"""Dotted key -> the value that it has in one model of a sweep."""


def expand_sweep(sweep: Mapping[str, Sequence[Any]]) -> Iterator[Settings]:
    """Every combination of values, those of the last key varying fastest; one of nothing without a sweep."""
    for values in product(*sweep.values()):
        yield dict(zip(sweep, values, strict=True))


def check_keys(sweep: Mapping[str, Sequence[Any]]) -> None:
    """Refuse keys that no MODEL.yaml has; what follows the first dot is checked when a model is made.

    Raises:
        LepbenchError: there is one; the message suggests the nearest.
    """
    known = set(ModelConfig.model_fields) - {"name"}
    for key in sweep:
        if key == "name":
            raise LepbenchError("a sweep makes the names itself", "sweep another key than 'name'")
        head, dot, rest = key.partition(".")
        if head not in known:
            raise LepbenchError(f"unknown sweep key {key!r}", _suggest_key(head, dot + rest, known))


def _suggest_key(head: str, rest: str, known: set[str]) -> str:
    return suggest_name(head + rest, [name + rest for name in known])


def apply_settings(document: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """A model's keys with those of `settings` in the place of its own; the given ones are unchanged.

    A key is set before those below it, whatever their order: `method` before `method.scale`.

    Raises:
        LepbenchError: a key goes below one that holds no mapping.
    """
    changed = dict(document)
    for key in sorted(settings, key=lambda key: key.count(".")):
        changed = _set_key(changed, key.split("."), settings[key])
    return changed


def _set_key(document: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    head, *rest = path
    if not rest:
        return {**document, head: value}
    below = document.get(head) or {}
    if head == "method" and isinstance(below, str):
        # A method without settings may be written as its name.
        below = {"name": below}
    if not isinstance(below, Mapping):
        raise LepbenchError(
            f"{'.'.join(path)!r} cannot be swept: {head!r} is {below!r}, without keys",
            "write its keys in the model, or sweep another key",
        )
    return {**document, head: _set_key(below, rest, value)}


def write_suffixes(combinations: Sequence[Settings]) -> list[str]:
    """What the names of the models of a sweep end in; see `write_suffix`.

    Those that would be equal have all keys of a mapping, and a number where these do not tell them apart.
    """
    short = [write_suffix(settings) for settings in combinations]
    whole = [
        suffix if short.count(suffix) == 1 else write_suffix(settings, whole=True)
        for suffix, settings in zip(short, combinations, strict=True)
    ]
    alike: dict[str, list[Settings]] = {}
    for suffix, settings in zip(whole, combinations, strict=True):
        known = alike.setdefault(suffix, [])
        known += [] if settings in known else [settings]
    return [
        suffix if len(alike[suffix]) == 1 else f"{suffix}-{1 + alike[suffix].index(settings)}"
        for suffix, settings in zip(whole, combinations, strict=True)
    ]


def write_suffix(settings: Settings, whole: bool = False) -> str:
    """What the name of a model of a sweep ends in, such as `-scale-0.8-stop-0.3`.

    A key is called by its last part, or wholly where two share that.

    Args:
        whole: with all keys of a mapping that has a name.
    """
    ends = [key.rpartition(".")[2] for key in settings]
    named = [end if ends.count(end) == 1 else key for key, end in zip(settings, ends, strict=True)]
    values = [write_value(value, whole) for value in settings.values()]
    return "".join(f"-{key}-{value}" for key, value in zip(named, values, strict=True))


def write_value(value: Any, whole: bool = False) -> str:
    """A value as part of a name: a number as it is written, the end of a path, the name of a mapping.

    Args:
        whole: as in `write_suffix`.
    """
    if isinstance(value, Mapping):
        keys = [f"{key}-{write_value(one)}" for key, one in value.items() if key != "name"]
        named = [str(value["name"])] if "name" in value else []
        value = "-".join([*named, *keys] if whole or not named else named)
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    text = PurePosixPath(value).name if isinstance(value, str) else str(value)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)
