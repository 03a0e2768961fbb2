"""What was drawn on the page before: a folder an entry, with the drawing, its settings and the pictures."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lepbench.config import Config, parse_config
from lepbench.drawing.artist import Settings, Shown
from lepbench.drawing.drawing import PageDrawing
from lepbench.errors import LepbenchError
from lepbench.files import interpret_json, list_visible, make_folder, read_bytes, write_bytes, write_text
from lepbench.images import encode_png

NAME = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9]{6}")
MOST = 500
"""Entries that are kept; the oldest go."""
MOST_BYTES = 8 * 2**20
FIX = "remove the entry"


class HistoryEntry(Config):
    """A drawing that was drawn, and how (`drawing.json`)."""

    drawing: PageDrawing
    settings: Settings


class History:
    """The entries of a folder, the newest first.

    Args:
        folder: made if it is not there; nothing is read or written outside it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = make_folder(folder)

    def list_names(self) -> list[str]:
        """The entries' names, the newest first."""
        names = [path.name for path in list_visible(self.folder) if NAME.fullmatch(path.name)]
        return sorted(names, reverse=True)

    def keep(self, entry: HistoryEntry, shown: Shown) -> str:
        """Write an entry, and return its name."""
        name = datetime.now(UTC).strftime("%Y%m%dT%H%M%S-%f")
        folder = make_folder(self.folder / name)
        for number, picture in enumerate(shown.pictures.values()):
            write_bytes(folder / f"{number}.png", encode_png(picture))
        # Last, since an entry without it is not listed by a reader.
        write_text(folder / "drawing.json", entry.model_dump_json(indent=1) + "\n")
        for old in self.list_names()[MOST:]:
            shutil.rmtree(self.folder / old)
        return name

    def read(self, name: str) -> dict[str, Any]:
        """An entry as JSON.

        Raises:
            LepbenchError: there is none, or it is damaged.
        """
        content = read_bytes(self.locate(name) / "drawing.json", MOST_BYTES, FIX)
        found = parse_config(interpret_json(content, name, FIX), HistoryEntry, name)
        return found.model_dump(mode="json")

    def read_picture(self, name: str, number: int) -> bytes:
        """A picture of an entry, as PNG.

        Raises:
            LepbenchError: there is none.
        """
        return read_bytes(self.locate(name) / f"{number}.png", MOST_BYTES, FIX)

    def locate(self, name: str) -> Path:
        """The folder of an entry.

        Raises:
            LepbenchError: that is no name of one.
        """
        if not NAME.fullmatch(name):
            raise LepbenchError(f"{name[:80]!r} is no entry of the history", "choose one that is listed")
        return self.folder / name
