"""The manifest of a triplet folder: its recipe, its shards and their hashes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import FailFast, Field

from lepbench.config import Config, parse_config
from lepbench.errors import LepbenchError
from lepbench.faults import quote_value
from lepbench.files import is_file, read_json, sha256_bytes, write_text

MANIFEST = "manifest.json"
FORMAT = 4
MOST_VALUES = 1_000_000
"""Values in a manifest, or in the record of a shard: they have some ten a shard, or a reject."""


class BuildRecipe(Config):
    """Everything that determines the bytes of the shards; builds of equal recipes are equal."""

    format: Literal[4] = 4
    size: int | None
    """Side of the square pictures, px; None where they are whole and of many sizes."""
    store: Literal["auto", "png", "jpeg"]
    """How pictures are encoded."""
    max_pixels: int
    """Pixels beyond which an original is not decoded."""
    max_caption: int
    """Characters of a caption that are kept."""
    detector: str
    """Identity of the detector: name, version and every setting."""
    edges: Literal["binary", "soft", "drawn"]
    """Kind of the maps: binary, soft (edge strengths) or drawn (human sketches)."""
    device: str
    """Where the detector ran, "cpu" or "cuda": their roundings differ."""
    limit: int = Field(ge=0)
    """How many entries of the source are tried."""
    shard_rows: int = Field(ge=1)
    """How many entries a shard tries."""
    split: str
    source: dict[str, Any]
    """The source's name and settings, and a fingerprint of its entries; no local paths."""
    hygiene: dict[str, Any]
    """Rejection rules, and the identities of the excluded sets; no local paths."""

    @property
    def sha256(self) -> str:
        """Hash of the recipe's canonical JSON, in hex."""
        return sha256_bytes(self.model_dump_json().encode())


class Shard(Config):
    """One finished shard; `entries` were tried, `rows` of them written."""

    file: str
    entries: int
    rows: int
    rejected: dict[str, int]
    """Entries left out, by reason."""
    flags: dict[str, int]
    """Number of rows with each flag."""
    sha256: str


class Manifest(Config):
    """The `manifest.json` of a triplet folder; an interrupted build has no `sha256` yet."""

    recipe: BuildRecipe
    recipe_sha256: str
    software: dict[str, str]
    """Versions of the packages that shape the bytes."""
    shards: Annotated[tuple[Shard, ...], FailFast()] = ()
    """The shards; empty until all are finished, until then each has its own record."""
    written: int = 0
    rejected: dict[str, int] = Field(default_factory=dict)
    flags: dict[str, int] = Field(default_factory=dict)
    sha256: str | None = None
    """Hash over the shards' hashes in order; the identity of the data."""

    def unfinished(self) -> Manifest:
        """The same manifest before any shard was finished."""
        return Manifest(recipe=self.recipe, recipe_sha256=self.recipe_sha256, software=self.software)

    def holding(self, shards: Sequence[Shard]) -> Manifest:
        """The same manifest with these shards, and the counts and the identity that follow from them."""
        counts = {
            "shards": tuple(shards),
            "written": sum(shard.rows for shard in shards),
            "rejected": sum_counts(shard.rejected for shard in shards),
            "flags": sum_counts(shard.flags for shard in shards),
            "sha256": hash_shards(shards),
        }
        return self.model_copy(update=counts)

    def save(self, folder: Path) -> None:
        """Write `manifest.json` into the folder, whole or not at all."""
        write_text(folder / MANIFEST, self.model_dump_json(indent=2) + "\n", lasting=True)


def sum_counts(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    """Counts by name, summed and in the order of the names."""
    total: Counter[str] = Counter()
    for part in counts:
        total.update(part)
    return dict(sorted(total.items()))


def load_manifest(folder: Path) -> Manifest:
    """Read a folder's manifest.

    Raises:
        LepbenchError: there is none, or it cannot be read as one.
    """
    path = folder / MANIFEST
    if not is_file(path):
        raise LepbenchError(f"{folder} holds no {MANIFEST}", "build it with 'lepbench build-data'")
    document = read_json(path, "build anew elsewhere", MOST_VALUES)
    if (other := _find_format(document)) != FORMAT:
        raise LepbenchError(
            f"{path} is of format {quote_value(other)}, not {FORMAT}",
            "build anew elsewhere with this version",
        )
    return parse_config(document, Manifest, f"{path} is damaged", "build anew elsewhere")


def _find_format(document: Any) -> object:
    """The format number of a manifest; the present one if it has none."""
    recipe = document.get("recipe") if isinstance(document, dict) else None
    return recipe.get("format", FORMAT) if isinstance(recipe, dict) else FORMAT


def find_difference(there: BuildRecipe, here: BuildRecipe, apart: Collection[str] = ()) -> str | None:
    """The first key on which two recipes differ, with both values, as a clause; None where they agree.

    Args:
        apart: keys that may differ.
    """
    old, new = _flat(there.model_dump(mode="json")), _flat(here.model_dump(mode="json"))
    for key in [*new, *old]:
        if key not in apart and old.get(key) != new.get(key):
            return f"{key} is {old.get(key, 'absent')} there and {new.get(key, 'absent')} here"
    return None


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        leaves |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return leaves


def hash_shards(shards: Iterable[Shard]) -> str:
    """SHA-256 over the shards' hashes, a line each, in hex."""
    return sha256_bytes("".join(f"{shard.sha256}\n" for shard in shards).encode())
