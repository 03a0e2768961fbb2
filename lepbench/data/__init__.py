"""Corpus to triplets: sources, the build, and the reader; this package imports none of its modules."""
