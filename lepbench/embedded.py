"""The embedded models, judges and suites, held against the hashes that ship with them."""

from __future__ import annotations

import re
from pathlib import Path

from lepbench.files import sha256_file, walk_visible, write_text

ASSETS = Path(__file__).resolve().parent / "assets"
HASHES = ASSETS.with_suffix(".sha256")
"""A line a file, as `sha256sum` writes it: its hash, and its path below `assets`."""
ABOUT = ("README.md", "metrics.json")
"""What is said of a model, and decides no number."""
NAME = re.compile(r"[\w.-]+@\d+", re.ASCII)


def is_embedded(name: str | Path) -> bool:
    """Whether a name has the form `NAME@VERSION`."""
    return bool(NAME.fullmatch(str(name)))


def read_hashes() -> dict[str, str]:
    """The SHA-256 of every embedded file that decides a number, by its path below `assets`."""
    pairs = (line.split("  ", 1) for line in HASHES.read_text(encoding="utf-8").splitlines())
    return {name: digest for digest, name in pairs}


def measure_hashes() -> dict[str, str]:
    """The same of the files that are there."""
    names = sorted(name for name in walk_visible(ASSETS) if Path(name).name not in ABOUT)
    return {name: sha256_file(ASSETS / name) for name in names}


def list_damaged() -> list[str]:
    """The embedded files that are missing or not those that ship."""
    found = measure_hashes()
    return [name for name, digest in read_hashes().items() if found.get(name) != digest]


def write_hashes() -> None:
    """State the hashes of the files that are there: after a model was trained anew."""
    write_text(HASHES, "".join(f"{digest}  {name}\n" for name, digest in measure_hashes().items()))
