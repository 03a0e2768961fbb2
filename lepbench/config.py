"""Typed, closed configurations: unknown keys are errors with a suggestion, and YAML round-trips."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from lepbench.documents import MOST_YAML, parse_yaml
from lepbench.errors import LepbenchError
from lepbench.faults import LABEL, LINE, SHA256, explain, explain_parts, quote_value
from lepbench.files import read_bytes
from lepbench.places import list_own_keys
from lepbench.registry import Registry, limit_list


class Config(BaseModel):
    """Base of every configuration and record: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        protected_namespaces=(),
        # An alias is what files call a field whose name in Python has changed since.
        serialize_by_alias=True,
        validate_by_alias=True,
        validate_by_name=True,
    )

    @field_validator("*", mode="before")
    @classmethod
    def _require_numbers(cls, given: Any, info: ValidationInfo) -> Any:
        """YAML's `true` is no number, as which pydantic would read it."""
        field = cls.model_fields.get(info.field_name or "")
        if field is not None and _holds_bool(given) and _is_numeric(field.annotation):
            raise ValueError("true and false are no numbers")
        return given


def _holds_bool(given: Any) -> bool:
    parts = given.values() if isinstance(given, dict) else given if isinstance(given, list | tuple) else ()
    return isinstance(given, bool) or any(map(_holds_bool, parts))


def _is_numeric(kind: Any) -> bool:
    """Whether a type is of numbers, alone or with texts and containers, and of nothing else."""
    leaves = {*_list_leaves(kind)}
    return bool(leaves & {int, float}) and leaves <= {int, float, str, Path, type(None), ...}


def _list_leaves(kind: Any) -> list[Any]:
    """The types that a type is put together of; of a Literal its values' own."""
    if get_origin(kind) is Literal:
        return [type(value) for value in get_args(kind)]
    if get_origin(kind) is Annotated:
        return _list_leaves(get_args(kind)[0])
    parts = get_args(kind)
    return [leaf for part in parts for leaf in _list_leaves(part)] if parts else [kind]


LONGEST = 1000
Line = Annotated[str, StringConstraints(pattern=LINE, max_length=LONGEST)]
"""A text of one line, without characters that are not seen."""
Label = Annotated[str, StringConstraints(pattern=LABEL, max_length=300)]
"""A name or a path of one line, which no spreadsheet takes for a formula."""
Hash = Annotated[str, StringConstraints(pattern=SHA256)]
"""A SHA-256 in hex."""
C = TypeVar("C", bound=Config)
SYNTAX = {
    "found character '\\t'": "a tab stands there: indent by spaces",
    "cannot start any token": "a character that no value begins with: put the value in quotes",
    "found '<stream end>'": "a bracket is not closed",
    "expected ',' or": "a bracket is not closed, or a comma is missing",
    "unexpected end of stream": "a quotation mark is not closed",
    "mapping values are not allowed": "a second colon: put a value with one in quotes, or indent the line",
    "expected <block end>": "the line is indented otherwise than those before it",
    "could not find expected ':'": "the line is no 'key: value'",
    "special characters": "it holds control characters",
}
"""By a part of what YAML's reader says, the same in plain words."""


def omit_defaults(written: dict[str, Any], kind: type[BaseModel], keys: Collection[str]) -> dict[str, Any]:
    """Written settings without those of `keys` that are at their defaults.

    For keys that came after the first records: hashes of what was written before them are unchanged.
    """
    fields = kind.model_fields
    return {key: value for key, value in written.items() if key not in keys or value != fields[key].default}


def write_line(text: str) -> str:
    """A text as a `Line`: others than seen characters become spaces, and what is too long is cut."""
    return re.sub(r"\s+", " ", "".join(char if char.isprintable() else " " for char in text))[:LONGEST]


def load_config(path: Path, kind: type[C]) -> C:
    """Read a YAML file as a `kind`.

    Raises:
        LepbenchError: the file is missing, is not YAML, or does not fit; one line names file and key.
    """
    return parse_config(load_document(path, kind), kind, str(path))


def load_document(path: Path, kind: type[Config]) -> dict[str, Any]:
    """Read a YAML file of keys of a `kind`, which are not looked at.

    Raises:
        LepbenchError: the file is missing, is not YAML, or holds no mapping.
    """
    document = read_yaml(path)
    if not isinstance(document, dict):
        keys = limit_list(sorted(list_own_keys(kind)))
        raise LepbenchError(
            f"{path} holds {describe_content(document)}, not keys with values",
            f"write a line 'key: value' for each of its keys, which are: {keys}",
        )
    return document


def describe_content(document: object) -> str:
    """What a YAML file holds, in a few words."""
    if document is None:
        return "nothing"
    return f"the list {quote_value(document)}" if isinstance(document, list) else quote_value(document)


def read_yaml(path: Path) -> Any:
    """What a YAML file holds.

    Raises:
        LepbenchError: the file is missing, is not YAML, or is beyond the bounds of `documents`.
    """
    content = read_bytes(path, MOST_YAML, "check the path")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LepbenchError(f"{path} is no text in UTF-8", "give a YAML file, saved as UTF-8") from error
    return interpret_yaml(text, str(path))


def interpret_yaml(text: str, label: str) -> Any:
    """What a YAML text holds.

    Args:
        label: what to call it in an error.

    Raises:
        LepbenchError: it is not YAML, or is beyond the bounds of `documents`.
    """
    try:
        return parse_yaml(text)
    except yaml.YAMLError as error:
        raise LepbenchError(f"{label} is not valid YAML: {describe_syntax(error)}", "correct it") from error
    except ValueError as error:
        raise LepbenchError(f"{label} cannot be read: {error}", "correct it") from error


def describe_syntax(error: yaml.YAMLError) -> str:
    """What is wrong with a YAML file's syntax, and in which line."""
    mark, problem = getattr(error, "problem_mark", None), str(getattr(error, "problem", None) or error)
    said = next((words for part, words in SYNTAX.items() if part in problem), problem)
    return said if mark is None else f"{said} (line {mark.line + 1}, column {mark.column + 1})"


def parse_config(document: Any, kind: type[C], label: str, fix: str = "") -> C:
    """A document as a `kind`.

    Args:
        label: what to call it in an error; empty where the key says enough.
        fix: what the reader can do about an error.

    Raises:
        LepbenchError: it does not fit; one line names label and key.
    """
    begin = f"{label}: " if label else ""
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        what, own = explain_parts(error, kind)
        raise LepbenchError(f"{begin}{what}", fix or own) from error
    except LepbenchError as error:
        # A nested choice by name (a detector, a method) says what is wrong, but not in which file.
        raise LepbenchError(f"{begin}{error}", fix) from error


def select_config(config: str | dict[str, Any], registry: Registry[type[C]], key: str | None = None) -> C:
    """The entry of a registry of configurations that a name, or a mapping with `name` and settings, asks for.

    Args:
        key: where it stands in a larger document; keys in errors are then named from there.

    Raises:
        LepbenchError: no such entry, a key it does not know, or a value it does not take.
    """
    settings = {"name": config} if isinstance(config, str) else config
    name, where = settings.get("name") if isinstance(settings, dict) else None, key or registry.kind
    if not isinstance(settings, dict) or not isinstance(name, str):
        lacks = f"{where} has no key 'name', which says what {registry.kind} it is"
        named = f"{where} must be a name, or keys with values, not {quote_value(config)}"
        raise LepbenchError(
            lacks if isinstance(settings, dict) else named, f"choose one of: {limit_list(list(registry))}"
        )
    kind = registry.get(name)
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        if key is not None:
            raise LepbenchError(explain(error, kind, (key,))) from error
        raise LepbenchError(f"{registry.kind} {name!r}: {explain(error, kind)}") from error


def dump_config(config: Config, defaults: bool = True) -> str:
    """The configuration as YAML that `load_config` reads back to an equal object.

    Args:
        defaults: write keys at their default too.
    """
    document = config.model_dump(mode="json", exclude_defaults=not defaults)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
