"""What a triplet folder says of itself: its recipe, its shards and their hashes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from lepbench.config import Config, explain
from lepbench.errors import LepbenchError
from lepbench.files import sha256_bytes, write_text

MANIFEST = "manifest.json"


class Recipe(Config):
    """Everything that decides the bytes of the shards; two builds of one recipe are equal."""

    format: Literal[1] = 1
    size: int
    """Side of the square pictures, px."""
    detector: str
    """Identity of the detector: name, version and every setting."""
    limit: int
    """How many entries of the source are tried."""
    shard_rows: int
    """How many entries a shard tries."""
    split: str
    source: dict[str, Any]
    """The source's name and settings, and a fingerprint of what it found; no machine's paths."""

    @property
    def sha256(self) -> str:
        """Hash of the recipe's canonical JSON, in hex."""
        return sha256_bytes(self.model_dump_json().encode())


class Shard(Config):
    """One finished shard; `entries` were tried, `rows` of them written."""

    file: str
    entries: int
    rows: int
    upscaled: int
    """Rows whose original was smaller than the recipe's size on its short side."""
    edge_pixels: int
    """Pixels on an edge, all rows together."""
    rejected: dict[str, int]
    """Entries left out, by reason."""
    sha256: str


class Manifest(Config):
    """The `manifest.json` of a triplet folder; an interrupted build has no `sha256` yet."""

    recipe: Recipe
    recipe_sha256: str
    software: dict[str, str]
    """Versions of the packages that shape the bytes."""
    shards: tuple[Shard, ...] = ()
    written: int = 0
    upscaled: int = 0
    edge_pixels: int = 0
    rejected: dict[str, int] = Field(default_factory=dict)
    sha256: str | None = None
    """Hash over the shards' bytes in order; the identity of the data."""

    def holding(self, shards: tuple[Shard, ...], sha256: str | None = None) -> Manifest:
        """The same manifest with these shards, and the counts that follow from them."""
        reasons: Counter[str] = Counter()
        for shard in shards:
            reasons.update(shard.rejected)
        counts = {
            "shards": shards,
            "written": sum(shard.rows for shard in shards),
            "upscaled": sum(shard.upscaled for shard in shards),
            "edge_pixels": sum(shard.edge_pixels for shard in shards),
            "rejected": dict(sorted(reasons.items())),
            "sha256": sha256,
        }
        return self.model_copy(update=counts)

    def save(self, folder: Path) -> None:
        """Write `manifest.json` into the folder, whole or not at all."""
        write_text(folder / MANIFEST, self.model_dump_json(indent=2) + "\n")


def load_manifest(folder: Path) -> Manifest:
    """Read a folder's manifest.

    Raises:
        LepbenchError: there is none, or it cannot be read as one.
    """
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise LepbenchError(f"{folder} holds no {MANIFEST}", "build it with 'lepbench build-data'") from None
    except OSError as error:
        raise LepbenchError(f"cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        raise LepbenchError(
            f"{path} is damaged: {explain(error, Manifest)}", "build anew elsewhere"
        ) from error


def difference(there: Recipe, here: Recipe) -> str | None:
    """The first key on which two recipes differ, with both values, as a clause; None where they agree."""
    old, new = _flat(there.model_dump(mode="json")), _flat(here.model_dump(mode="json"))
    for key in [*new, *old]:
        if old.get(key) != new.get(key):
            return f"{key} is {old.get(key, 'absent')} there and {new.get(key, 'absent')} here"
    return None


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        leaves |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return leaves


def sha256_files(paths: Iterable[Path]) -> str:
    """SHA-256 over the bytes of files one after another, in hex."""
    running = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            while piece := stream.read(1 << 20):
                running.update(piece)
    return running.hexdigest()
