"""The configuration of a build."""

from __future__ import annotations

from pydantic import Field

from lepbench.config import Config
from lepbench.data.sources import AnySource
from lepbench.detectors import AnyDetector, Canny


class BuildConfig(Config):
    """What `lepbench build-data CONFIG` reads.

    Settings: `source` and `detector`, each a name or a mapping with `name` and settings; `size`, the side of
    the square pictures in px; `limit`, entries of the source to try, null for all it has; `shard_rows`,
    entries tried for one shard, which is what an interruption may lose.
    """

    source: AnySource
    detector: AnyDetector = Canny()
    size: int = Field(default=64, ge=16, le=4096)
    limit: int | None = Field(default=None, ge=1)
    shard_rows: int = Field(default=512, ge=1)
