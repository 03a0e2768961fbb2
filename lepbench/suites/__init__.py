"""Frozen lists of prompt and sketch, bytes included."""

from lepbench.suites.definition import TRUTHS, SuiteDefinition, Truth
from lepbench.suites.items import Item, Items
from lepbench.suites.scenes import KnownScene, KnownThing, read_scene
from lepbench.suites.suite import FOLDERS, Suite, list_shipped, list_suites, load_suite, name_picture

__all__ = [
    "FOLDERS",
    "TRUTHS",
    "Item",
    "Items",
    "KnownScene",
    "KnownThing",
    "Suite",
    "SuiteDefinition",
    "Truth",
    "list_shipped",
    "list_suites",
    "load_suite",
    "name_picture",
    "read_scene",
]
