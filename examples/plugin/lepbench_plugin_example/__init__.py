"""A method, an edge detector, a measure and a protocol for lepbench; importing this package adds them."""

from lepbench_plugin_example import detector, measure, method, protocol

__all__ = ["detector", "measure", "method", "protocol"]
