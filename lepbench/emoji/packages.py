"""Emoji out of the npm packages of their sets: which subjects there are, and their SVG documents.

`npm install @iconify-json/noto @iconify-json/twemoji @iconify-json/fluent-emoji-flat openmoji` fetches them.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from lepbench.emoji.captions import KINDS
from lepbench.emoji.sets import SETS
from lepbench.errors import LepbenchError
from lepbench.files import read_json

EmojiGroup = Literal["animals-nature", "food-drink", "objects", "travel-places", "activities"]
GROUPS: tuple[EmojiGroup, ...] = get_args(EmojiGroup)
"""OpenMoji's groups that are taken: no people, faces, flags or symbols."""
PASSED_OVER = re.compile(r".*(o.clock|-thirty)|(.* moon|sun with|wind) face")
"""Names in these groups that are: clock faces, which differ by their hands alone, and faces in the sky."""
VARIATION = "fe0f"
"""The code point that asks for a picture instead of a sign; files and names have it or not."""
FETCH = f"run 'npm install {' '.join(one.package for one in SETS.values())}' and give its node_modules"


class Subject(NamedTuple):
    """What the sets drew.

    Attributes:
        code: its code points in hexadecimal, joined by hyphens, without variation selectors.
        name: in small letters.
        group, kind: OpenMoji's group, and what captions call its subgroup.
    """

    code: str
    name: str
    group: str
    kind: str


def list_subjects(modules: Path) -> list[Subject]:
    """The subjects in Unicode's order.

    Args:
        modules: the folder `node_modules`.

    Raises:
        LepbenchError: the packages are not there.
    """
    about = read_json(modules / SETS["openmoji"].package / "data" / "openmoji.json", FETCH)
    rows = sorted((row for row in about if row["group"] in GROUPS), key=lambda row: row["order"])
    found = [
        Subject(
            code=plain_code(row["hexcode"]),
            name=row["annotation"].lower().replace("’", "'"),
            group=row["group"],
            kind=KINDS[row["subgroups"]],
        )
        for row in rows
    ]
    return [one for one in found if not PASSED_OVER.fullmatch(one.name)]


def find_document(modules: Path, style: str, code: str) -> bytes | None:
    """The SVG document of a subject in a set; None where the set has none.

    Raises:
        LepbenchError: the set's package is not there.
    """
    if style == "openmoji":
        return find_file(modules, code).read_bytes()
    icons, names = _read_iconify(modules / SETS[style].package)
    name = names.get(code)
    if name is None:
        return None
    icon = icons["icons"][name]
    left, top, width, height = (
        icon.get(key, icons.get(key, 0)) for key in ("left", "top", "width", "height")
    )
    side = max(width, height)
    view = f"{left - (side - width) / 2} {top - (side - height) / 2} {side} {side}"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{view}">{icon["body"]}</svg>'
    ).encode()


def find_file(modules: Path, code: str) -> Path:
    """OpenMoji's file of a subject.

    Raises:
        LepbenchError: it is not there.
    """
    found = _list_openmoji(modules).get(code)
    if found is None:
        raise LepbenchError(f"{modules} has no picture {code} of openmoji", FETCH)
    return found


def plain_code(code: str) -> str:
    """Code points as files name them, in small letters and without variation selectors."""
    return "-".join(part for part in code.lower().split("-") if part != VARIATION)


@cache
def _list_openmoji(modules: Path) -> dict[str, Path]:
    files = sorted((modules / SETS["openmoji"].package / "color" / "svg").glob("*.svg"))
    return {plain_code(file.stem): file for file in files}


@cache
def _read_iconify(package: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The icons of an Iconify package, and their names by plain code points."""
    icons, names = read_json(package / "icons.json", FETCH), read_json(package / "chars.json", FETCH)
    return icons, {plain_code(code): name for code, name in names.items()}
