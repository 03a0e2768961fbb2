"""A first look at a set: few items of each suite, in a folder of its own."""

from __future__ import annotations

from pathlib import Path

from lepbench.run_sets.config import RunSet

QUICK = 2
"""Items of each suite, with all their variants: the fewest that have an interval."""
LABEL = "a first look"
"""What the tables of such a set are called."""


def quicken(config: RunSet) -> RunSet:
    """The set of a first look at another: `QUICK` items a suite, or fewer, into `OUT-quick`."""
    limit = QUICK if config.limit is None else min(config.limit, QUICK)
    return config.model_copy(update={"limit": limit, "out": Path(f"{config.folder}-quick")})
