"""Where a fault of a validation stands in a document, found by the types of a configuration."""

from __future__ import annotations

import types
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter


class Place(NamedTuple):
    """Where a value stands.

    Attributes:
        path: keys and indices, without pydantic's names of the branches of unions.
        owner: the configuration whose key it is; None where that is not known.
        union: the path of the outermost union on the way.
        branch: pydantic's name of that union's branch; None without a union.
    """

    path: tuple[str | int, ...]
    owner: type[BaseModel] | None
    union: tuple[str | int, ...] = ()
    branch: str | int | None = None


def find_place(location: tuple[str | int, ...], kind: type[BaseModel]) -> Place:
    """The place that pydantic calls `location` in a configuration."""
    path: list[str | int] = []
    union: tuple[str | int, ...] = ()
    branch: str | int | None = None
    here: Any = kind
    owner: Any = kind
    for part in location:
        branches = list_branches(here)
        if len(branches) > 1:
            if branch is None:
                union, branch = tuple(path), part
            here = next((one for one in branches if getattr(one, "__name__", None) == part), Any)
            continue
        path.append(part)
        owner, here = branches[0], step_into(branches[0], part)
    return Place(tuple(path), owner if _is_model(owner) else None, union, branch)


def list_branches(annotation: Any) -> list[Any]:
    """The types of a union but None, or the type itself."""
    if get_origin(annotation) is Annotated:
        return list_branches(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [one for arm in get_args(annotation) if arm is not type(None) for one in list_branches(arm)]
    return [annotation]


def step_into(annotation: Any, part: str | int) -> Any:
    """The type of the value under a key or index; `Any` where that is not known."""
    if _is_model(annotation):
        fields = annotation.model_fields
        found = fields.get(part) or next((one for one in fields.values() if one.alias == part), None)
        return Any if found is None else found.annotation
    inner = get_args(annotation)
    if get_origin(annotation) is dict:
        return inner[1]
    if get_origin(annotation) is tuple and isinstance(part, int) and Ellipsis not in inner:
        return inner[part] if part < len(inner) else Any
    return inner[0] if get_origin(annotation) in (tuple, list, set, frozenset) else Any


@cache
def list_own_keys(kind: type[BaseModel] | None) -> frozenset[str]:
    """The keys of a configuration as they are written, nested ones left out."""
    return frozenset(_find_properties(TypeAdapter(kind).json_schema()) if kind is not None else ())


def list_inner_keys(kind: type[BaseModel]) -> dict[str, str]:
    """The keys of the configurations within one, each with the dotted key of the first that has it."""
    schema = TypeAdapter(kind).json_schema()
    found: dict[str, str] = {}
    for key, place in _walk_properties(schema, schema.get("$defs", {}), ()):
        if place:
            found.setdefault(key, ".".join(place))
    return found


def _walk_properties(
    schema: dict[str, Any], known: dict[str, Any], place: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    properties = _find_properties(schema)
    yield from ((key, place) for key in properties)
    for key, value in properties.items():
        for name in _list_references(value):
            # A configuration that holds itself has no further keys.
            if len(place) < 4:
                yield from _walk_properties(known[name], known, (*place, key))


def _list_references(schema: dict[str, Any]) -> Iterator[str]:
    """The configurations that a key takes itself, not within a list."""
    for one in (schema, *schema.get("anyOf", ()), *schema.get("allOf", ())):
        if "$ref" in one:
            yield one["$ref"].rpartition("/")[2]


def _find_properties(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        schema = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    properties: dict[str, Any] = schema.get("properties", {})
    return properties


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
