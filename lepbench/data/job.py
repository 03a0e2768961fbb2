"""What all shards of a build have in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lepbench.data.config import BuildConfig
from lepbench.data.corpus import Corpus
from lepbench.data.manifest import BuildRecipe


@dataclass(frozen=True)
class Job:
    """A build as a worker sees it; it goes to every worker once."""

    out: Path
    corpus: Corpus
    config: BuildConfig
    recipe: BuildRecipe
    refusal: str = ""
    """Why no shard may be made here; those that are whole may still be kept."""
