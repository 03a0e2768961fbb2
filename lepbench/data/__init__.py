"""Corpus to triplets: sources, the build, and the reader; import the module you need, nothing loads here."""
