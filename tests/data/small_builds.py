"""Small builds, and what they leave behind."""

from __future__ import annotations

from pathlib import Path

from picture_folders import jpeg, photograph

from lepbench.data.config import BuildConfig


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def letters(folder: Path, names: str) -> BuildConfig:
    """A build of a photograph for each letter, of which g is empty as yet."""
    folder.mkdir()
    for number, name in enumerate(names):
        turned = photograph().rotate(10 * number)
        (folder / f"{name}.jpg").write_bytes(b"" if name == "g" else jpeg(turned))
        (folder / f"{name}.txt").write_text(name)
    return BuildConfig.model_validate(
        {"source": {"name": "folder", "path": folder}, "size": 32, "shard_rows": 2}
    )
