"""YAML and JSON that anybody may have written: parsed within bounds of size, depth and number of values."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any

import yaml

from lepbench.errors import make_printable, shorten

MOST_YAML = 1 << 17
"""Bytes of a YAML file."""
MOST_NODES = 8_000
"""Values that are written in a YAML file: its parser takes up to a second for them."""
MOST_JSON = 1 << 26
"""Bytes of a JSON file."""
MOST_VALUES = 100_000
"""Values in a document, each use of an alias counted: pydantic tells of each that does not fit."""
MOST_KEYS = 50_000
"""Keys of one mapping."""
DEEPEST = 64
"""Levels of lists and mappings within each other."""
LONGEST_NUMBER = 64
"""Characters of a number."""
NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
MERGE = "tag:yaml.org,2002:merge"
"""The tag of `<<`, which may stand in a mapping several times."""


class BoundedLoader(yaml.SafeLoader):
    """Refuses what YAML's own loader takes in silence, or fails at with errors of Python.

    That is a mapping with a key twice, aliases that stand for too much or for themselves, endless numbers,
    and values that do not fit their tag, such as a date in a 13th month.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise ValueError(f"it has more than {MOST_NODES} values")
        node: yaml.Node | None = super().compose_node(parent, index)
        return node

    def get_single_node(self) -> yaml.Node | None:
        node: yaml.Node | None = super().get_single_node()
        if node is not None:
            count_values(node, {})
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError) as error:
            raise make_fault(f"it is no {node.tag.rpartition(':')[2]}", node) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
                if key.value in seen:
                    raise make_fault(f"the key {key.value!r} stands here twice", key)
                seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def make_fault(said: str, node: yaml.Node) -> yaml.YAMLError:
    """What is wrong with a node, with its place."""
    return yaml.constructor.ConstructorError(None, None, said, node.start_mark)


def count_values(node: yaml.Node, counts: dict[int, int]) -> int:
    """How many values a node stands for, those of aliases counted at each use.

    Args:
        counts: of nodes by their identity, 0 while one is being counted.

    Raises:
        YAMLError: there are too many, a node holds itself, or a number is too long.
    """
    if id(node) in counts:
        if not counts[id(node)]:
            raise make_fault("an alias stands within what it stands for", node)
        return counts[id(node)]
    counts[id(node)] = 0
    if isinstance(node, yaml.ScalarNode):
        if node.tag in NUMBERS and len(node.value) > LONGEST_NUMBER:
            raise make_fault("a number has too many digits", node)
        total = 1
    else:
        pairs = isinstance(node, yaml.MappingNode)
        parts = [part for pair in node.value for part in pair] if pairs else node.value
        total = 1 + sum(count_values(part, counts) for part in parts)
    if total > MOST_VALUES:
        raise make_fault(f"it stands for more than {MOST_VALUES} values", node)
    counts[id(node)] = total
    return total


def parse_yaml(text: str) -> Any:
    """What a YAML text holds.

    Raises:
        YAMLError: it is no YAML.
        ValueError: it is too large, too deep, or holds a character or number that no value may have.
    """
    if len(text) > MOST_YAML:
        raise ValueError(f"it has more than {MOST_YAML} characters")
    try:
        document = yaml.load(text, Loader=BoundedLoader)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except OverflowError as error:
        raise ValueError("it has an escape that is no character") from error
    except ValueError as error:
        raise ValueError(make_plain(error)) from error
    check_document(document)
    return document


def parse_json(content: bytes | str, most: int | None = MOST_VALUES) -> Any:
    """What a JSON text holds; strings may have lone surrogates, which `check_document` refuses.

    Args:
        most: values in it; None for as many as there are.

    Raises:
        ValueError: it is no JSON in UTF-8, has too many values, a key twice, or is nested too deeply.
    """
    text = content if isinstance(content, str) else content.decode("utf-8-sig")
    # What separates values is counted, in strings too, so that nothing is made of too many.
    if most is not None and sum(map(text.count, ",[{")) > most:
        raise ValueError(f"it has more than {most} values")
    try:
        return json.loads(text, object_pairs_hook=_make_mapping)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        raise ValueError(make_plain(error)) from error


def make_plain(error: ValueError) -> str:
    """What an error says; Python's own of a long number tells how to allow it."""
    return "a number has too many digits" if "sys.set_int_max_str_digits" in str(error) else str(error)


def _make_mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for number, key in enumerate(keys) if key in keys[:number])
        raise ValueError(f"the key {shorten(make_printable(repr(twice)), 80)} stands twice in a mapping")
    return found


def check_document(document: Any) -> None:
    """Refuse what no text, number or nesting of a configuration or record is like.

    Raises:
        ValueError: it is nested too deeply, a text holds NUL or a lone surrogate, or a number takes more than
            64 bits.
    """
    level = [document]
    for _ in range(DEEPEST):
        following: list[Any] = []
        for value in level:
            if isinstance(value, str):
                check_text(value)
            elif isinstance(value, dict):
                if len(value) > MOST_KEYS:
                    raise ValueError(f"a mapping has more than {MOST_KEYS} keys")
                following += value
                following += value.values()
            elif isinstance(value, list | tuple | set):
                following += value
            elif isinstance(value, int) and not -(2**63) <= value < 2**64:
                raise ValueError("a number has too many digits")
        if not following:
            return
        level = following
    raise ValueError("it is nested too deeply")


def check_text(text: str) -> None:
    """Refuse a text that can be no name, and no text of a file.

    Raises:
        ValueError: it holds NUL, or a surrogate without its other half.
    """
    if "\0" in text:
        raise ValueError("a text holds the character NUL")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError("a text holds a lone surrogate, which is no character") from error
