"""The configuration of a build."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from lepbench.config import Config
from lepbench.data.hygiene import Hygiene
from lepbench.data.picture import Format
from lepbench.data.sources import AnySource
from lepbench.detectors import AnyDetector, Canny, SoftDetector


class BuildConfig(Config):
    """What `lepbench build-data CONFIG` reads.

    Settings: `source` and `detector`, each a name or a mapping with `name` and settings; `size`, the side of
    the square pictures in px, null for whole pictures of the sizes they have; `edges`, "binary", or "soft"
    for the strengths of a detector that grades; `store`, "png", "jpeg", or "auto" for what the original was;
    `limit`, entries of the source to try, null for all it has; `shard_rows`, entries tried for one shard,
    which is what an interruption may lose; `hygiene`, what is left out; `max_pixels` of an original and
    `max_caption`, the characters kept of a caption; `device`, where the detector runs.
    """

    source: AnySource
    detector: AnyDetector = Canny()
    size: int | None = Field(default=64, ge=16, le=4096)
    edges: Literal["binary", "soft"] = "binary"
    store: Format = "auto"
    limit: int | None = Field(default=None, ge=1)
    shard_rows: int = Field(default=512, ge=1)
    hygiene: Hygiene = Hygiene()
    max_pixels: int = Field(default=100_000_000, ge=1)
    max_caption: int = Field(default=2000, ge=1)
    device: Literal["cpu", "cuda"] = "cpu"

    @model_validator(mode="after")
    def _graded(self) -> BuildConfig:
        if self.edges == "soft" and not isinstance(self.detector, SoftDetector):
            raise ValueError(f"detector {self.detector.name!r} does not grade: take edges: binary")
        return self
