"""Export of a suite for any program: prompts, sketches, seeds, file names of the images."""

from __future__ import annotations

import shlex
from itertools import chain
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.files import format_csv, list_visible, make_folder, write_bytes, write_text
from lepbench.images import encode_png
from lepbench.progress import Progress
from lepbench.suites.items import Item
from lepbench.suites.suite import SUITES, Suite, name_picture

COLUMNS = ("file", "item_id", "sample_index", "prompt", "sketch", "seed")
SKETCHES = "sketches"
GUIDE = "README.md"
NEGATIVE = "negative_prompt"
"""A further column, where any item has one."""


def export_suite(
    suite: Suite, out: Path, progress: Progress, limit: int | None = None, samples_per_item: int = 1
) -> Path:
    """Write `prompts.csv`, `sketches/ITEM.png` (white strokes on black) and a README into `out`.

    Args:
        progress: called with (stage, done, total).
        limit: items from the front, each with all its variants; None for the suite's default number.
        samples_per_item: pictures asked for an item.

    Raises:
        LepbenchError: `limit` is more than there are, or `out` holds files or cannot be written.
    """
    items = suite.items(limit)
    _check_out(out, {f"{name}.png" for name in suite.item_ids[: len(items)]})
    make_folder(out)
    columns = COLUMNS if not any(items.negative_prompts) else (*COLUMNS, NEGATIVE)
    rows: list[list[list[str | int]]] = [[] for _ in range(samples_per_item)]
    for done, item in enumerate(items, start=1):
        for index, sample in enumerate(rows):
            sample.append(list_cells(suite, item, index)[: len(columns)])
        write_bytes(out / SKETCHES / f"{item.item_id}.png", encode_png(item.input))
        progress("sketches", done, len(items))
    about = {
        "suite": suite.name,
        "size": suite.definition.size,
        "options": _list_options(suite, limit, samples_per_item),
        "negative": AVOID if NEGATIVE in columns else "",
        "shared": SHARED if suite.definition.variants_of is not None else "; no two lines share one",
    }
    write_text(out / GUIDE, README.format(**about))
    # Last, so that a folder with the table is a whole one.
    write_text(out / "prompts.csv", format_csv(columns, chain.from_iterable(rows)))
    return out / "prompts.csv"


def _check_out(out: Path, sketches: set[str]) -> None:
    """Refuse a folder that holds anything but the beginning of this export; `prompts.csv` ends one."""
    if not out.is_dir():
        return
    inside = list_visible(out / SKETCHES) if (out / SKETCHES).is_dir() else []
    others = [path.name for path in list_visible(out) if path.name not in (SKETCHES, GUIDE)]
    if others or any(path.name not in sketches for path in inside):
        raise LepbenchError(f"{out} is not empty", "choose another --out")


def list_cells(suite: Suite, item: Item, index: int) -> list[str | int]:
    """A line of `prompts.csv`: the cells of `COLUMNS` and of `NEGATIVE` for a sample of an item."""
    sketch = f"{SKETCHES}/{item.item_id}.png"
    return [
        name_picture(item.item_id, index),
        item.item_id,
        index,
        item.prompt,
        sketch,
        suite.seed(item, index),
        item.negative_prompt or "",
    ]


def _list_options(suite: Suite, limit: int | None, samples_per_item: int) -> str:
    """The options by which `lepbench evaluate` asks for the pictures of this export."""
    given = suite.name if suite.folder.parent == SUITES else str(suite.folder.resolve())
    several = f" --samples-per-item {samples_per_item}" if samples_per_item > 1 else ""
    return f"--suite {shlex.quote(given)}{'' if limit is None else f' --limit {limit}'}{several}"


AVOID = "\n`negative_prompt` is what a picture must not show; where it is empty, your model's own decides."
SHARED = "; the variants of one item share theirs"
README = """\
# {suite}, to be drawn

`prompts.csv` has a line a picture: draw `prompt` along the sketch in `sketch` (white strokes on black; invert
it if your model wants black on white) at {size} x {size} px, and store the picture as PNG under the name in
`file`. Take `seed` for your noise, so that your pictures can be drawn again{shared}. Do not use the real
pictures, which are not in this folder, and do not pick among several tries.{negative}

Then score the folder, with no model loaded:

    name: my-model
    method: {{name: precomputed, folder: FOLDER}}

as `my-model.yaml`, and `lepbench evaluate my-model.yaml {options}`. Without the
same `--limit` and `--samples-per-item` the command asks for other pictures than these.
"""
