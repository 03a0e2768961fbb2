"""What is wrong with the values of a configuration, in plain words instead of pydantic's."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lepbench.places import Place, find_place, list_inner_keys, list_own_keys
from lepbench.registry import limit_list, suggest_name

SHOWN = 60
"""Characters of a value that a message quotes."""
LISTED = 200
"""Characters of a list of choices."""
TEXT, LIST, KEYS, PATH = "be a text", "be a list", "be keys with values", "be a path"
NUMBER, WHOLE, TRUTH = "be a number", "be a whole number", "be true or false"
WANTED: Mapping[str, str] = {
    "string_type": TEXT,
    "string_unicode": "be a text in UTF-8",
    "string_not_ascii": "be a text of plain ASCII characters",
    "string_too_short": "be a text of {min_length} or more characters",
    "string_too_long": "be a text of at most {max_length} characters",
    "bytes_type": TEXT,
    "path_type": PATH,
    "bool_type": TRUTH,
    "bool_parsing": TRUTH,
    "int_type": WHOLE,
    "int_parsing": WHOLE,
    "int_parsing_size": "be a whole number of fewer digits",
    "int_from_float": WHOLE,
    "float_type": NUMBER,
    "float_parsing": NUMBER,
    "finite_number": "be a number other than infinity and NaN",
    "greater_than": "be more than {gt:g}",
    "greater_than_equal": "be {ge:g} or more",
    "less_than": "be less than {lt:g}",
    "less_than_equal": "be at most {le:g}",
    "multiple_of": "be a multiple of {multiple_of:g}",
    "list_type": LIST,
    "tuple_type": LIST,
    "set_type": LIST,
    "frozen_set_type": LIST,
    "iterable_type": LIST,
    "set_item_not_hashable": "be a text or a number",
    "dict_type": KEYS,
    "mapping_type": KEYS,
    "model_type": KEYS,
    "model_attributes_type": KEYS,
    "dataclass_type": KEYS,
    "too_short": "have at least {min_length} entries",
    "too_long": "have at most {max_length} entries",
    "none_required": "be left out",
    "date_type": "be a date such as 2024-12-31",
    "date_parsing": "be a date such as 2024-12-31",
    "date_from_datetime_parsing": "be a date such as 2024-12-31",
    "url_type": "be a web address",
    "url_parsing": "be a web address such as https://example.org",
}
"""By pydantic's name of an error: what a value must do instead."""
NAME_WORDS = "digits and . _ -, with a letter or digit first"
SEEN = r"[^\p{Cc}\p{Cf}\u2028\u2029]"
"""A character that is seen, or a space."""
LINE = f"^{SEEN}*$"
LABEL = f"^[^\\p{{Cc}}\\p{{Cf}}\\u2028\\u2029=+@-]{SEEN}*$"
SHA256 = "^[0-9a-f]{64}$"
PATTERNS: Mapping[str, str] = {
    r"^[A-Za-z0-9][A-Za-z0-9._-]*$": f"be a name of letters, {NAME_WORDS}",
    r"^\w[\w.-]*$": f"be a name of letters, {NAME_WORDS}",
    r"^[a-z0-9][a-z0-9._-]*$": f"be a name of small letters, {NAME_WORDS}",
    r"^[a-z0-9][a-z0-9._-]*$|^$": f"be a name of small letters, {NAME_WORDS}",
    SHA256: "be a SHA-256: 64 digits of 0-9 and a-f",
    LINE: "be one line of characters that are seen",
    LABEL: "be one line of characters that are seen, and not begin with =, +, - or @",
}
CHOICES = ("literal_error", "enum")
UNKNOWN_KEY = ("extra_forbidden", "invalid_key", "unexpected_keyword_argument")
MISSING = ("missing", "missing_argument", "missing_keyword_only_argument")
OWN_WORDS = ("value_error", "assertion_error")
"""Errors that validators of lepbench and of plug-ins raise: their words are the message."""
ADD_ENTRY = "give one more"
KEY = "[key]"
"""What pydantic writes behind a key that is itself at fault."""
FOLLOWS = "default_factory_not_called"
"""An error that only follows from another."""


class ConfigFault(NamedTuple):
    """One error of a validation.

    Attributes:
        place: where the value stands.
        details: as pydantic has it.
    """

    place: Place
    details: ErrorDetails

    @property
    def kind(self) -> str:
        """Pydantic's name of the error."""
        return self.details["type"]

    @property
    def is_of_type(self) -> bool:
        """Whether the value is of another type than this branch of a union takes."""
        return self.kind in CHOICES or self.kind.endswith(("_type", "_parsing", "_required"))


def explain(error: ValidationError, kind: type[BaseModel], prefix: tuple[str, ...] = ()) -> str:
    """One fault of a failed validation in a line: what, where, and what to do.

    Args:
        kind: the configuration that was validated.
        prefix: where it stands in a larger document; the place is named from there.
    """
    return "; ".join(filter(None, explain_parts(error, kind, prefix)))


def explain_parts(
    error: ValidationError, kind: type[BaseModel], prefix: tuple[str, ...] = ()
) -> tuple[str, str]:
    """What is wrong and where, and what to do about it; the latter is empty where the former says it."""
    faults = choose_faults(error, kind)
    first, where = faults[0], name_place((*prefix, *faults[0].place.path))
    entry, key = split_entry(where)
    if first.kind in UNKNOWN_KEY:
        return f"{entry}unknown key {key!r}", suggest_key(first, kind, prefix)
    if first.kind in MISSING and not isinstance(first.place.path[-1], int):
        return f"{entry}the key {key!r} is missing", f"add '{first.place.path[-1]}: ...'"
    if first.kind in MISSING:
        return f"{name_place((*prefix, *first.place.path[:-1]))} has too few entries", ADD_ENTRY
    if first.kind in OWN_WORDS:
        said = str(first.details.get("ctx", {}).get("error", "")) or "it does not fit"
        between = " " if said.startswith("must ") else ": "
        return (f"{where}{between}{said}" if where else said), ""
    if first.kind == "json_invalid":
        return f"it holds no valid JSON: {first.details['ctx']['error']}", ""
    wanted = dict.fromkeys(find_wanted(fault) for fault in faults)
    if None in wanted:
        return f"{where or 'it'} cannot be {quote_value(first.details['input'])}", "give another value"
    asked = " or ".join(str(want).removeprefix("be ") if n else str(want) for n, want in enumerate(wanted))
    return (
        f"{where or 'it'} must {asked}, not {describe_value(first)}",
        advise(first, [fault for fault in faults if fault.kind in CHOICES]),
    )


def choose_faults(error: ValidationError, kind: type[BaseModel]) -> list[ConfigFault]:
    """The fault that helps most; several if they are those of the branches of a union."""
    details = error.errors(include_url=False)
    own = [one for one in details if one["type"] != FOLLOWS] or details
    faults = [ConfigFault(find_place(one["loc"], kind), one) for one in own]
    # A misspelt key also leaves the right one missing: the misspelling is what helps.
    first = next((fault for fault in faults if fault.kind in UNKNOWN_KEY), faults[0])
    if first.place.branch is None:
        return [first]
    branches: dict[object, list[ConfigFault]] = {}
    for fault in faults:
        if fault.place.branch is not None and fault.place.union == first.place.union:
            branches.setdefault(fault.place.branch, []).append(fault)
    # The branch that was meant takes values of this type, and knows the most of the keys.
    meant = min(branches.values(), key=_rank_branch)
    return [faults[0] for faults in branches.values()] if _rank_branch(meant)[0] else meant[:1]


def _rank_branch(faults: Sequence[ConfigFault]) -> tuple[bool, int, int]:
    first = faults[0]
    unknown = sum(fault.kind in UNKNOWN_KEY for fault in faults)
    return first.is_of_type and first.place.path == first.place.union, unknown, len(faults)


def find_wanted(fault: ConfigFault) -> str | None:
    """What the value must do instead; None where there are no words for the error."""
    context = fault.details.get("ctx", {})
    if fault.kind in CHOICES:
        return f"be {limit_list(read_choices(fault), LISTED, last='or')}"
    if fault.kind == "string_pattern_mismatch":
        return PATTERNS.get(context["pattern"], f"be a text of the form {context['pattern']}")
    wanted = WANTED.get(fault.kind)
    if wanted is None:
        return None
    filled = wanted.format(**{key: _as_number(value) for key, value in context.items()})
    return re.sub(r"\b1 entries\b", "1 entry", re.sub(r"\b1 (or more )?characters", r"1 \1character", filled))


def _as_number(value: object) -> object:
    return value if isinstance(value, int | float) else str(value)


def read_choices(fault: ConfigFault) -> list[str]:
    """The choices of an enumeration, as they are quoted."""
    expected = str(fault.details["ctx"]["expected"])
    return re.findall(r"'(?:[^'\\]|\\.)*'|\b(?!or\b)[^\s',]+", expected) or [expected]


def suggest_key(fault: ConfigFault, kind: type[BaseModel], prefix: Sequence[str]) -> str:
    """What an unknown key may have been meant to be: a key of the same mapping, or of another."""
    key, own = str(fault.place.path[-1]), list_own_keys(fault.place.owner)
    inner = list_inner_keys(kind)
    if key in inner:
        return f"it belongs in {'.'.join((*prefix, inner[key]))!r}"
    close = suggest_name(key, own or inner)
    if close.startswith("did you mean"):
        return close
    near = difflib.get_close_matches(key, inner, n=1, cutoff=0.75)
    return f"did you mean {near[0]!r} in {'.'.join((*prefix, inner[near[0]]))!r}?" if near else close


def advise(fault: ConfigFault, choices: Sequence[ConfigFault]) -> str:
    """What to do beside giving what is wanted; empty where there is nothing to add."""
    given, wanted = fault.details["input"], find_wanted(fault)
    if given is None:
        return "give it a value, or remove the key"
    known = [choice.strip("'") for one in choices for choice in read_choices(one)]
    if known:
        close = suggest_name(str(given), known) if isinstance(given, str) else ""
        return close if close.startswith("did you mean") else ""
    if wanted in (TEXT, PATH) and isinstance(given, dict):
        return "put a text with braces or a colon in quotes"
    if wanted in (TEXT, PATH) and not isinstance(given, list | tuple | bytes):
        return "put it in quotes"
    if wanted == LIST and isinstance(given, str | int | float):
        quoted = quote_value(given)
        return f"write [{quoted}]" if len(quoted) < SHOWN // 2 else "write it in [ ]"
    return "write them as 'key: value', indented below it" if wanted == KEYS else ""


def name_place(path: Sequence[str | int]) -> str:
    """Where a value stands, as in `plots entry 1: box.kid`: keys with dots, entries counted from 1."""
    name, between = "", ""
    for number, part in enumerate(path):
        if number + 1 < len(path) and path[number + 1] == KEY:
            return f"a key of {name or 'it'}"
        name += f"{name and ' '}entry {part + 1}" if isinstance(part, int) else f"{between}{part}"
        between = ": " if isinstance(part, int) else "."
    return name


def split_entry(where: str) -> tuple[str, str]:
    """The entry of a list that a place is within, as the begin of a message, and the key there."""
    entry, between, key = where.rpartition(": ")
    return entry + between, key


def describe_value(fault: ConfigFault) -> str:
    """What was given, and of what kind it is where its looks do not tell."""
    given, wanted = fault.details["input"], str(find_wanted(fault))
    if wanted.startswith("have"):
        count = len(given) if isinstance(given, Mapping | Sequence) else 0
        return str(count or "none")
    if given is None:
        return "empty"
    if isinstance(given, str) and wanted in (NUMBER, WHOLE, TRUTH, LIST, KEYS):
        return f"the text {quote_value(given)}"
    if isinstance(given, Mapping):
        return f"keys with values {quote_value(given)}"
    return f"the list {quote_value(given)}" if isinstance(given, list | tuple) else quote_value(given)


def quote_value(value: object) -> str:
    """A value as it may stand in a YAML file, cut to a length that can be read."""
    if isinstance(value, str):
        text = repr(value)
    elif value is None or isinstance(value, bool | int | float | list | tuple | dict):
        try:
            text = json.dumps(value, ensure_ascii=False, default=str)
        except (TypeError, ValueError):
            text = repr(value)
    else:
        text = str(value)
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
