"""A drawing as files: SVG, PNG, a folder for `suite make folder`, and the command that draws it again."""

from __future__ import annotations

import csv
import io
import shlex
import zipfile
from collections.abc import Callable
from html import escape

import numpy as np

from lepbench.drawing.artist import Settings
from lepbench.drawing.drawing import PageDrawing, rasterise_drawing
from lepbench.images import encode_png
from lepbench.panels import draw_strokes

SIDE = 512
"""Of a PNG, and of the SVG's canvas."""
WIDTH = 2.5
"""Of an SVG's strokes, at the middle pressure."""
SKETCH, WEIGHTS = "sketch.png", "weights.png"


def write_svg(drawing: PageDrawing) -> bytes:
    """The strokes as polylines on white, the prompt as its title."""
    size = f'width="{SIDE}" height="{SIDE}"'
    lines = [
        f'<polyline points="{_join(stroke.points)}" data-weight="{stroke.weight:g}"/>'
        for stroke in drawing.strokes
    ]
    pen = 'fill="none" stroke="black" stroke-linecap="round" stroke-linejoin="round"'
    document = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {SIDE} {SIDE}">',
        f"<title>{escape(drawing.prompt)}</title>",
        f'<rect {size} fill="white"/>',
        f'<g {pen} stroke-width="{WIDTH:g}">',
        *lines,
        "</g>",
        "</svg>",
    ]
    return ("\n".join(document) + "\n").encode()


def _join(points: tuple[tuple[float, float, float], ...]) -> str:
    # A single point shows where its line has a length.
    shown = points if len(points) > 1 else (points[0], points[0])
    return " ".join(f"{x * SIDE:.1f},{y * SIDE:.1f}" for x, y, _ in shown)


def write_png(drawing: PageDrawing) -> bytes:
    """The strokes, black on white."""
    return encode_png(draw_strokes(rasterise_drawing(drawing, (SIDE, SIDE)).sketch))


def write_suite(drawing: PageDrawing) -> bytes:
    """A ZIP of a folder with the drawing and its prompt, as `lepbench suite make folder` reads it."""
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(("sketch", "prompt"))
    rows.writerow(("drawing.svg", drawing.prompt))
    return _pack({"drawing.svg": write_svg(drawing), "prompts.csv": table.getvalue().encode()})


def write_command(drawing: PageDrawing, settings: Settings) -> bytes:
    """A ZIP of the sketch, the weights where strokes have some, and the command that draws the picture."""
    lines = rasterise_drawing(drawing, (SIDE, SIDE))
    files = {SKETCH: encode_png(draw_strokes(lines.sketch))}
    command = ["lepbench", "sample", "--prompt", drawing.prompt, "--sketch", SKETCH, "--resize"]
    if lines.weights is not None:
        grey = np.round(lines.weights / 2 * 255).astype(np.uint8)
        files[WEIGHTS] = encode_png(np.repeat(grey[..., None], 3, axis=-1))
        command += ["--importance", WEIGHTS]
    for name in ("preset", "scale", "stop", "seed"):
        if (value := getattr(settings, name)) is not None:
            command += [f"--{name}", f"{value:g}" if isinstance(value, float) else str(value)]
    command += ["--out", "picture.png"]
    return _pack({**files, "draw.sh": (shlex.join(command) + "\n").encode()})


def _pack(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


EXPORTS: dict[str, tuple[str, Callable[[PageDrawing, Settings], bytes]]] = {
    "svg": ("drawing.svg", lambda drawing, settings: write_svg(drawing)),
    "png": ("drawing.png", lambda drawing, settings: write_png(drawing)),
    "suite": ("suite-folder.zip", lambda drawing, settings: write_suite(drawing)),
    "command": ("draw-again.zip", write_command),
}
"""What a drawing can be exported as: the name of the file, and what writes it."""
