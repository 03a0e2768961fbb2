"""A drawing as files: SVG, PNG, a folder for `suite make folder`, and the command that draws the picture."""

from __future__ import annotations

import csv
import io
import shlex
import zipfile
from collections.abc import Callable
from html import escape

import numpy as np

from lepbench.drawing.artist import Artist
from lepbench.drawing.drawing import PageDrawing, PenStroke, rasterise_drawing
from lepbench.drawing.history import HistoryEntry
from lepbench.images import encode_png
from lepbench.panels import draw_strokes

SIDE = 512
"""Of a PNG, and of the SVG's canvas."""
WIDTH = 2.5
"""Of an SVG's strokes, at the middle pressure."""
SKETCH, WEIGHTS, MODEL = "sketch.png", "weights.png", "model.yaml"


def write_svg(drawing: PageDrawing) -> bytes:
    """The strokes as polylines on white, the prompt as its title."""
    size = f'width="{SIDE}" height="{SIDE}"'
    lines = [
        f'<polyline points="{_join(stroke.points)}" stroke-width="{_measure_pen(stroke):.2f}" '
        f'data-weight="{stroke.weight:g}"/>'
        for stroke in drawing.strokes
    ]
    pen = 'fill="none" stroke="black" stroke-linecap="round" stroke-linejoin="round"'
    document = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {SIDE} {SIDE}">',
        f"<title>{escape(drawing.prompt)}</title>",
        f'<rect {size} fill="white"/>',
        f"<g {pen}>",
        *lines,
        "</g>",
        "</svg>",
    ]
    return ("\n".join(document) + "\n").encode()


def _measure_pen(stroke: PenStroke) -> float:
    """The width of a line by the pressure that its stroke was drawn with."""
    pressure = sum(point[2] for point in stroke.points) / len(stroke.points)
    return WIDTH * (0.5 + pressure)


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


def write_command(entry: HistoryEntry, artist: Artist) -> bytes:
    """A ZIP of the sketch, weights where strokes have some, the model, and the command that draws by them.

    Raises:
        LepbenchError: the model cannot be loaded, which says how large its pictures are.
    """
    drawing, settings = entry.drawing, entry.settings
    model = artist.choose_model(settings, "better")
    lines = rasterise_drawing(drawing, artist.choose_size(model))
    files = {SKETCH: encode_png(draw_strokes(lines.sketch)), MODEL: model.write_yaml().encode()}
    command = ["lepbench", "sample", "--model", MODEL, "--prompt", drawing.prompt]
    # The lines are those of the page, pixel by pixel.
    command += ["--sketch", SKETCH, "--no-thin"]
    if lines.weights is not None:
        grey = np.round(lines.weights / 2 * 255).astype(np.uint8)
        files[WEIGHTS] = encode_png(np.repeat(grey[..., None], 3, axis=-1))
        command += ["--importance", WEIGHTS]
    command += ["--seed", str(settings.seed)]
    if settings.count > 1:
        command += ["--count", str(settings.count)]
    command += ["--out", "picture.png"]
    return _pack({**files, "draw.sh": (shlex.join(command) + "\n").encode()})


def _pack(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


EXPORTS: dict[str, tuple[str, Callable[[HistoryEntry, Artist], bytes]]] = {
    "svg": ("drawing.svg", lambda entry, artist: write_svg(entry.drawing)),
    "png": ("drawing.png", lambda entry, artist: write_png(entry.drawing)),
    "suite": ("suite-folder.zip", lambda entry, artist: write_suite(entry.drawing)),
    "command": ("draw-again.zip", write_command),
}
"""What a drawing can be exported as: the name of the file, and what writes it."""
