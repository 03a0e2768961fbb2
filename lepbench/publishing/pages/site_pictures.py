"""Small pictures of the runs of a board, so that two of them may be seen beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from lepbench.errors import LepbenchError
from lepbench.evaluation.conditions import MODEL, REAL
from lepbench.evaluation.layout import locate_picture
from lepbench.evaluation.terms import find_suite
from lepbench.files import write_bytes
from lepbench.images import open_rgb
from lepbench.panels import draw_strokes
from lepbench.publishing.pages.report_items import shorten
from lepbench.publishing.pages.site_boards import SiteBoard, SiteRun
from lepbench.publishing.pages.thumbnails import encode_thumbnail

PICTURES = "pictures"
ITEMS = 12
"""Items of which pictures are kept."""


def write_pictures(out: Path, board: SiteBoard) -> dict[str, Any]:
    """Write the first pictures of a board's runs, and say where they are.

    Returns:
        `items`, each its caption with the paths of its sketch and real picture from the site's folder, and by
        model the paths of its pictures in the same order; empty where the suite is not known.
    """
    first = board.runs[0]
    try:
        suite = find_suite(first.record, first.folder)
    except LepbenchError:
        return {}
    items = [suite[item] for item in suite.item_ids[: min(ITEMS, first.record.identity.items)]]
    names = [item.item_id for item in items]
    folder = f"{PICTURES}/{suite.sha256[:16]}"
    sketches = [
        _keep(out, f"{folder}/{number}-sketch.webp", Image.fromarray(draw_strokes(item.input)))
        for number, item in enumerate(items)
    ]
    real = _keep_pictures(out, folder, first, condition=REAL.name, names=names)
    return {
        "items": [
            {"caption": shorten(item.prompt), "sketch": sketch, "real": picture}
            for item, sketch, picture in zip(items, sketches, real, strict=True)
        ],
        "models": {
            line.model: _keep_pictures(
                out, f"{PICTURES}/{line.run.record.id[:16]}", line.run, condition=MODEL.name, names=names
            )
            for line in board.lines
            if line.run is not None
        },
    }


def _keep_pictures(out: Path, folder: str, run: SiteRun, condition: str, names: Sequence[str]) -> list[str]:
    paths = [locate_picture(run.folder, condition, name) for name in names]
    return [
        _keep(out, f"{folder}/{number}.webp", open_rgb(path)) if path.is_file() else ""
        for number, path in enumerate(paths)
    ]


def _keep(out: Path, path: str, image: Image.Image) -> str:
    write_bytes(out / path, encode_thumbnail(image))
    return path
