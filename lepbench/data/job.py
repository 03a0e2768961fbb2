"""The data shared by all shards of a build."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lepbench.data.config import BuildConfig
from lepbench.data.corpus import Corpus
from lepbench.data.manifest import BuildRecipe


@dataclass(frozen=True)
class Job:
    """The build data of a worker; sent to every worker once."""

    out: Path
    corpus: Corpus
    config: BuildConfig
    recipe: BuildRecipe
    refusal: str = ""
    """Why no shard may be made here; valid shards may still be kept."""
