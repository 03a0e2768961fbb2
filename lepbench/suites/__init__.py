"""Frozen lists of prompt and sketch, bytes included."""

from lepbench.suites.suite import (
    FOLDERS,
    Item,
    Suite,
    SuiteDefinition,
    list_shipped,
    list_suites,
    load_suite,
    name_picture,
)

__all__ = [
    "FOLDERS",
    "Item",
    "Suite",
    "SuiteDefinition",
    "list_shipped",
    "list_suites",
    "load_suite",
    "name_picture",
]
