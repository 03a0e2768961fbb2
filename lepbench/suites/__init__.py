"""Frozen lists of prompt and sketch, bytes included."""

from lepbench.suites.suite import Item, Suite, SuiteDefinition, load_suite, picture_name, shipped

__all__ = ["Item", "Suite", "SuiteDefinition", "load_suite", "picture_name", "shipped"]
