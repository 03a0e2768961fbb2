"""How well strokes read from SVG files agree with what resvg renders of them.

    python benchmarks/real_art.py FOLDER|ICONS.json ... [--limit N] [--worst N] [--json FILE]

A source is a folder of SVG files or an icon set of Iconify (JSON), such as those of the npm packages
@tabler/icons and @iconify-json/noto. Files are drawn at 512 px and compared with resvg's rendering on white:
the share of the sketch's pixels more than 3 px from ink, and the share of the ink in pieces that no stroke
comes within 3 px of.
"""

from __future__ import annotations

import argparse
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from lepbench.sketches import Unusable
from lepbench.sketches.vector.reading import VectorDrawing, read_drawing
from lepbench.strokes import rasterise

SIDE = 512
NEAR = 3
"""Pixels from ink within which a sketch's pixel agrees with it."""
FAINT = 8
"""Difference from white, of 255, below which a pixel is no ink."""
UNEXPLAINED = 0.01
"""Share of the ink without strokes above which a file is listed."""


class Comparison(NamedTuple):
    """Shares of a file: the sketch's pixels away from ink, and the ink that no stroke explains."""

    off_ink: float
    unexplained: float


def read_sources(path: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files of a folder, or of the icons of a set."""
    if path.is_dir():
        for file in sorted(path.rglob("*.svg")):
            yield str(file.relative_to(path)), file.read_bytes()
        return
    icons = json.loads(path.read_text())
    for name, icon in icons["icons"].items():
        width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
        head = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        yield name, f'<svg {head} viewBox="0 0 {width} {height}">{icon["body"]}</svg>'.encode()


def render_ink(content: bytes, width: int, height: int) -> NDArray[np.bool_]:
    """Where resvg paints anything but white, bool [height, width]."""
    png = resvg_py.svg_to_bytes(svg_string=content.decode("utf-8-sig"), width=width, height=height, dpi=96)
    rendered = Image.alpha_composite(
        Image.new("RGBA", (width, height), "white"),
        Image.open(io.BytesIO(bytes(png))).convert("RGBA").resize((width, height)),
    )
    return np.asarray((255 - np.asarray(rendered.convert("RGB"))).max(axis=2) >= FAINT)


def draw_sketch(drawing: VectorDrawing, width: int, height: int) -> NDArray[np.bool_]:
    """The strokes on the same pixels, one pixel wide."""
    scale = SIDE / max(drawing.width, drawing.height)
    return rasterise([line * scale for line in drawing.strokes], SIDE)[:height, :width]


def compare(drawing: VectorDrawing, content: bytes) -> Comparison:
    """Compare a drawing with the rendering of its file."""
    scale = SIDE / max(drawing.width, drawing.height)
    width, height = (max(round(side * scale), 1) for side in (drawing.width, drawing.height))
    ink, sketch = render_ink(content, width, height), draw_sketch(drawing, width, height)
    if not ink.any() or not sketch.any():
        return Comparison(float(sketch.any()), float(ink.any()))
    away = ndimage.distance_transform_edt(~ink)[sketch] > NEAR
    pieces, _ = ndimage.label(ink, np.ones((3, 3)))
    near = ndimage.distance_transform_edt(~sketch) <= NEAR
    explained = np.isin(pieces, np.unique(pieces[near & ink])) & ink
    return Comparison(float(away.mean()), 1 - float(explained.sum() / ink.sum()))


def survey(path: Path, limit: int | None, worst: int) -> dict[str, Any]:
    """The table's row of a source, with its worst files."""
    sources = list(read_sources(path))
    sources = sources[:: max(len(sources) // limit, 1)] if limit else sources
    found: dict[str, Comparison] = {}
    unusable: dict[str, str] = {}
    unsupported: Counter[str] = Counter()
    for name, content in sources:
        try:
            drawing = read_drawing(content)
        except Unusable as fault:
            unusable[name] = str(fault)
            continue
        unsupported.update(drawing.unsupported.keys())
        found[name] = compare(drawing, content)
    off = sorted(found, key=lambda name: -found[name].off_ink)[:worst]
    listed = [name for name in found if found[name].unexplained > UNEXPLAINED]
    return {
        "source": str(path),
        "files": len(sources),
        "unusable": unusable,
        "off_ink": float(np.mean([one.off_ink for one in found.values()])),
        "unexplained": float(np.mean([one.unexplained for one in found.values()])),
        "unexplained_files": {name: found[name].unexplained for name in listed},
        "unsupported": dict(unsupported),
        "worst": {name: found[name].off_ink for name in off},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sources", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, help="files of a source, evenly spaced")
    parser.add_argument("--worst", type=int, default=5, help="files to name of each source")
    parser.add_argument("--json", type=Path, help="where to write everything that was found")
    options = parser.parse_args()
    rows = [survey(path, options.limit, options.worst) for path in options.sources]
    print("| source | files | unusable | sketch off ink | ink without strokes | files listed for it |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        shares = f"{row['off_ink']:.3%} | {row['unexplained']:.3%} | {len(row['unexplained_files'])}"
        print(f"| {row['source']} | {row['files']} | {len(row['unusable'])} | {shares} |")
    for row in rows:
        print(f"\n{row['source']}: {row['unsupported']}")
        for key in ("worst", "unexplained_files", "unusable"):
            print(f"  {key}: {dict([*row[key].items()][: options.worst])}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
