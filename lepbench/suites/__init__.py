"""Frozen lists of prompt and sketch, bytes included."""

from lepbench.suites.suite import Item, Suite, SuiteDefinition, load_suite, shipped

__all__ = ["Item", "Suite", "SuiteDefinition", "load_suite", "shipped"]
