"""What a suite holds, at a glance: as plain values, and as a sheet of its first items."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from lepbench.images import Pixels
from lepbench.panels import Corner, Page, arrange_panels, draw_strokes
from lepbench.suites.items import Item
from lepbench.suites.suite import Suite

PROMPTS = 5
"""First prompts that are shown."""
SHOWN = 16
"""Items of a sheet."""
TILE = 160
GAP = 12
BETWEEN = 4
TEXT_HEIGHT = 44
LETTERS_A_LINE = 44
ACROSS = 4
INK = (0, 0, 0)
FRAME = (210, 210, 210)


def describe_suite(suite: Suite) -> dict[str, Any]:
    """What is known of a suite without its pictures, JSON-ready, its first prompts included."""
    about = suite.definition
    return {
        "name": about.name,
        "description": about.description,
        "items": about.items,
        "default_items": about.default_items,
        "size": about.size,
        "truths": list(about.truths),
        **({"variants_of": about.variants_of, "levels": list(about.levels)} if about.variants_of else {}),
        "protocol": about.protocol,
        "detector": about.detector,
        "contour_detector": about.contour_detector,
        "licence": about.licence,
        "classes": suite.count_labels(),
        "drawn": about.drawn.model_dump(mode="json"),
        "sha256": suite.sha256,
        "prompts": suite.take(about.items).prompts[:PROMPTS],
    }


def draw_suite_sheet(items: Sequence[Item]) -> Pixels:
    """The first `SHOWN` items: the sketch, the picture where there is one, and the prompt below.

    Returns:
        uint8 [H, W, 3].
    """
    shown = list(items[:SHOWN])
    panels = 2 if any(item.image is not None for item in shown) else 1
    across = min(ACROSS, len(shown))
    right, down = panels * (TILE + BETWEEN) + GAP, TILE + TEXT_HEIGHT + GAP
    page = Page(across * right + GAP, -(-len(shown) // across) * down + GAP)
    for place, item in zip(arrange_panels(len(shown), across, (GAP, GAP), (right, down)), shown, strict=True):
        place_item(page, item, place, LETTERS_A_LINE * panels // 2)
    return page.pixels


def place_item(page: Page, item: Item, place: Corner, letters: int) -> None:
    """Draw an item, `letters` of its prompt to a line; small pictures keep their pixels' corners."""
    pictures = [draw_strokes(item.input), *([] if item.image is None else [item.image])]
    for at, picture in zip(
        arrange_panels(len(pictures), 2, place, (TILE + BETWEEN, 0)), pictures, strict=True
    ):
        page.place_panel(picture, at, (TILE, TILE), sharp=max(picture.shape[:2]) <= TILE, frame=FRAME)
    lines = textwrap.wrap(item.prompt, letters, max_lines=2, placeholder=" ...")
    page.write_text("\n".join(lines), (place[0], place[1] + TILE + 4), size=14, ink=INK)
