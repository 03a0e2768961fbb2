"""The configuration of a build."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from pydantic import Field, model_validator

from lepbench.config import Config
from lepbench.data.hygiene import Hygiene
from lepbench.data.picture import Format
from lepbench.data.sources import AnySource
from lepbench.detectors import AnyDetector, Canny, Detector, NetworkDetector, SoftDetector
from lepbench.errors import LepbenchError

EdgeKind = Literal["binary", "soft", "drawn"]
ConfigPart = TypeVar("ConfigPart", bound=Config)


def default_edges(given: Mapping[str, Any]) -> EdgeKind:
    """What maps are made of where a configuration does not say, from its other values; see `Source.edges`."""
    # A source that was refused is not among them.
    return given["source"].edges if "source" in given else "binary"


class BuildConfig(Config):
    """What `lepbench build-data CONFIG` reads.

    Settings: `source` and `detector`, each a name or a mapping with `name` and settings; `size`, the side of
    the square images in px, null for whole images at their own size; `edges`, "binary", "soft" for
    the strengths of a soft detector, or "drawn" for human sketches, of a source that has them, instead
    of a detector's edges, by default as the source has it, "binary" for most; `store`, "png", "jpeg", or
    "auto" for the original's format;
    `limit`, entries of the source to try, null for all; `shard_rows`, entries tried per shard,
    the most that an interruption loses; `hygiene`, the rejection rules; `max_pixels` of an original and
    `max_caption`, maximum characters of a caption; `device`, where the detector runs: cpu, cuda, or auto for
    cuda if available and the detector is a network; the recipe has the resolved device.
    """

    source: AnySource
    detector: AnyDetector = Canny()
    size: int | None = Field(default=64, ge=16, le=4096)
    edges: EdgeKind = Field(default_factory=default_edges)
    store: Format = "auto"
    limit: int | None = Field(default=None, ge=1)
    shard_rows: int = Field(default=512, ge=1)
    hygiene: Hygiene = Hygiene()
    max_pixels: int = Field(default=100_000_000, ge=1)
    max_caption: int = Field(default=2000, ge=1)
    device: Literal["auto", "cpu", "cuda"] = "cpu"

    @model_validator(mode="after")
    def _graded(self) -> BuildConfig:
        if self.edges == "soft" and not isinstance(self.detector, SoftDetector):
            raise ValueError(
                f"detector {self.detector.name!r} gives no strengths of edges, as 'edges: soft' needs them: "
                "write 'edges: binary', or choose another detector"
            )
        return self

    @model_validator(mode="after")
    def _drawn(self) -> BuildConfig:
        if self.edges == "drawn" and not self.source.drawn:
            raise ValueError(f"source {self.source.name!r} has no drawings: write 'edges: binary'")
        if self.edges == "drawn" and self.size is None:
            raise ValueError("drawings are fitted to a size, and size is null: write 'size: 512'")
        return self

    @model_validator(mode="after")
    def _licensed(self) -> BuildConfig:
        if not str(getattr(self.source, "licence", "unknown")).strip():
            raise ValueError("licence is empty: name one, or leave it out")
        return self

    def anchored(self) -> BuildConfig:
        """A copy with absolute paths of source and detector, for processes in other working folders."""
        parts = {"source": anchor_paths(self.source), "detector": anchor_paths(self.detector)}
        return self.model_copy(update=parts)

    def placed(self) -> BuildConfig:
        """A copy with the device resolved.

        Raises:
            LepbenchError: the requested device is not available.
        """
        return self.model_copy(update={"device": choose_detector_device(self.device, self.detector)})


def choose_detector_device(device: str, detector: Detector) -> Literal["cpu", "cuda"]:
    """Where a detector runs: `auto` is cuda for a network if there is one.

    Raises:
        LepbenchError: the requested device is not available.
    """
    if device == "auto":
        wanted = isinstance(detector, NetworkDetector) and torch.cuda.is_available()
        return "cuda" if wanted else "cpu"
    check_device(device)
    return "cuda" if device == "cuda" else "cpu"


def check_device(device: str) -> None:
    """Refuse a device that is not available.

    Raises:
        LepbenchError: it has none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise LepbenchError("device is cuda, and there is none here", "write 'device: cpu'")


def anchor_paths(part: ConfigPart) -> ConfigPart:
    """Settings with absolute paths, including a string `path` if it exists locally."""
    paths: dict[str, Any] = {key: value.absolute() for key, value in part if isinstance(value, Path)}
    text = getattr(part, "path", None)
    if isinstance(text, str) and exists_here(Path(text)):
        paths["path"] = str(Path(text).absolute())
    return part.model_copy(update=paths)


def exists_here(path: Path) -> bool:
    """Whether a path, or a glob pattern, matches local files rather than the name of a hub data set."""
    pattern = any(sign in path.name for sign in "*?[")
    return path.exists() or (pattern and any(path.parent.glob(path.name)))
