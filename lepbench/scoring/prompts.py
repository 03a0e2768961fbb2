"""Which generated pictures belong to which reference picture, by their names."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.files import list_visible
from lepbench.images import SUFFIXES

MAPS = frozenset({".png"})
NUMBERED = re.compile(r"(?P<name>.+)-(?P<number>\d+)")

# Of a generated file: the name of its reference, and its sample number or group.
Place = tuple[str, str]


@dataclass(frozen=True)
class Prompt:
    """A reference and the pictures generated for it."""

    name: str
    reference: Path
    generated: tuple[Path, ...]


def find_prompts(
    generated: Path,
    reference: Path,
    suffixes: Collection[str] = SUFFIXES,
    *,
    of_references: Collection[str] | None = None,
) -> list[Prompt]:
    """Every reference with its generated pictures, in the order of the names.

    Args:
        generated: NAME-0.png, NAME-1.png, ..; or NAME.png; or folders that hold one NAME.png each.
        reference: NAME.png.
        suffixes: endings, in small letters, of the files that count in both folders.
        of_references: of those that count in the second, where they are others.

    Raises:
        LepbenchError: a folder is missing or empty, a name occurs twice, or files are missing or too many.
    """
    references = _by_stem(reference, suffixes if of_references is None else of_references)
    placed = _placed(generated, references, suffixes)
    samples = sorted({sample for _, sample in placed})
    for name in references:
        missing = [sample for sample in samples if (name, sample) not in placed]
        if missing:
            raise LepbenchError(
                f"{generated} has {len(samples) - len(missing)} of {len(samples)} pictures for {name!r}, and "
                f"not {_said(generated, name, missing[0])!r}",
                "every reference needs the same number",
            )
    return [
        Prompt(name, path, tuple(placed[name, sample] for sample in samples))
        for name, path in references.items()
    ]


def _placed(generated: Path, names: Collection[str], suffixes: Collection[str]) -> dict[Place, Path]:
    groups = _groups(generated, suffixes)
    if groups:
        placed = {(n, g.name): path for g in groups for n, path in _by_stem(g, suffixes).items()}
    else:
        files = _by_stem(generated, suffixes)
        numbered = any(stem not in names and _number(stem)[0] in names for stem in files)
        placed = {(_number(stem) if numbered else (stem, "")): path for stem, path in files.items()}
    strangers = [path for (name, _), path in placed.items() if name not in names]
    if strangers:
        raise LepbenchError(
            f"{len(strangers)} of {len(placed)} generated files belong to no reference, first {strangers[0]}",
            "name them NAME-0.png, NAME-1.png, .. after NAME.png of the reference",
        )
    return placed


def _groups(generated: Path, suffixes: Collection[str]) -> list[Path]:
    """The folders in a folder that hold pictures; none if pictures lie in it."""
    if not generated.is_dir():
        raise LepbenchError(f"no such folder: {generated}", "check the path")
    groups = [path for path in list_visible(generated) if path.is_dir() and _pictures(path, suffixes)]
    loose = _pictures(generated, suffixes)
    if groups and loose:
        raise LepbenchError(
            f"{generated} holds pictures such as {loose[0].name} and folders of pictures such as "
            f"{groups[0].name}",
            "keep one of the two layouts",
        )
    return groups


def _by_stem(folder: Path, suffixes: Collection[str]) -> dict[str, Path]:
    if not folder.is_dir():
        raise LepbenchError(f"no such folder: {folder}", "check the path")
    files = _pictures(folder, suffixes)
    if not files:
        raise LepbenchError(f"{folder} holds no {' or '.join(sorted(suffixes))} file", "check the path")
    named: dict[str, Path] = {}
    for path in files:
        if named.setdefault(path.stem, path) != path:
            raise LepbenchError(f"{folder} has {named[path.stem].name} and {path.name}", "keep one")
    return named


def _pictures(folder: Path, suffixes: Collection[str]) -> list[Path]:
    return [p for p in list_visible(folder) if p.suffix.lower() in suffixes and p.is_file()]


def _number(stem: str) -> Place:
    match = NUMBERED.fullmatch(stem)
    return (match["name"], match["number"]) if match else (stem, "")


def _said(generated: Path, name: str, sample: str) -> str:
    if (generated / sample).is_dir() and sample:
        return f"{sample}/{name}"
    return f"{name}-{sample}" if sample else name
