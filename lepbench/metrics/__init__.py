"""Figures of merit: pure functions of tensors and arrays, one idea a file."""
