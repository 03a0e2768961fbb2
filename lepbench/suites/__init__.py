"""Frozen lists of prompt and sketch, bytes included."""

from lepbench.suites.suite import Item, Suite, SuiteDefinition, list_shipped, load_suite, name_picture

__all__ = ["Item", "Suite", "SuiteDefinition", "list_shipped", "load_suite", "name_picture"]
