"""What thick pens cost, and what redrawing them as thin lines gives back.

    python benchmarks/thick_pens.py
    python benchmarks/thick_pens.py --items 16 --pens 4 --json

The outlines of the first items of `sketchworld-edges-v1` are drawn by a steady hand on 512 px, with pens of
several widths in pixels of the 64 px picture, and filled as silhouettes. mini@1 draws them with the fast
preset, with their strokes as they are and redrawn (`fit_sketch`). A row holds means over items: precision,
recall and F1 at 1 px between the pictures' edges and the lines of a pen of 1 px; the share of pictures whose
shape and colour the probe reads as captioned; the judge's similarity to the caption; the share of sketches
that were redrawn (no row where none was). On stdout a table in Markdown, or with --json a list of rows.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from lepbench.backbones import load_backbone
from lepbench.bars import show_bars
from lepbench.config import parse_config
from lepbench.detectors import Canny
from lepbench.guidance import SamplerSettings
from lepbench.guidance.presets import PRESETS
from lepbench.guidance.sketch import Sketch, fit_sketch
from lepbench.judges import ClipScorer
from lepbench.judges.classifier import accuracy, load_probe
from lepbench.judges.paths import JUDGE, PROBE
from lepbench.methods import LepConfig, Method, Request
from lepbench.metrics.clip import cosine
from lepbench.metrics.edges import edge_counts, precision_recall_f1
from lepbench.seeds import derive_seed
from lepbench.sketchworld import ATTRIBUTES, Scene, freehand, render, scene
from lepbench.suites import load_suite

SIDE, PICTURE, BATCH = 512, 64, 16
FILLED = "filled"
Strokes = NDArray[np.bool_]


def draw_pen(drawn: Scene, pen: str) -> Strokes:
    """A scene's outlines with a pen of that many picture pixels, or its silhouette, bool [SIDE, SIDE]."""
    if pen == FILLED:
        return render(drawn, SIDE).mask
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    width = round(float(pen) * SIDE / PICTURE)
    for stroke in freehand(drawn, 1, SIDE).strokes:
        corners = np.round((stroke.points - 0.5) * 16).astype(np.int32)
        cv2.polylines(canvas, [corners], False, 1, thickness=width, shift=4)
    return canvas > 0


def load_method() -> Method:
    """mini@1 guided by its predictor, with the fast preset."""
    preset = PRESETS.get("fast")
    settings = SamplerSettings.model_validate(preset.sampler())
    return parse_config(preset.steering(), LepConfig, "").build(load_backbone("mini@1"), settings)


def draw_all(method: Method, scenes: list[Scene], sketches: list[Strokes]) -> torch.Tensor:
    """Pictures of all scenes along their sketches, [N, 3, PICTURE, PICTURE]."""
    requests = [
        Request(f"{number}.png", one.caption, sketch, derive_seed("thick pens", number))
        for number, (one, sketch) in enumerate(zip(scenes, sketches, strict=True))
    ]
    batches = [requests[first : first + BATCH] for first in range(0, len(requests), BATCH)]
    return torch.cat([method.draw(batch) for batch in batches])


def score_all(pictures: torch.Tensor, scenes: list[Scene], lines: list[Strokes]) -> dict[str, float]:
    """Means over pictures."""
    scores = precision_recall_f1(edge_counts(Canny()(pictures), torch.from_numpy(np.stack(lines)), (1,)))
    labels = {
        name: torch.tensor([ATTRIBUTES[name].index(getattr(one.things[0], name)) for one in scenes])
        for name in ("shape", "colour")
    }
    others = {name: torch.zeros(len(scenes), dtype=torch.long) for name in ATTRIBUTES.keys() - labels.keys()}
    read = accuracy(load_probe(PROBE), pictures, labels | others)
    judge = ClipScorer.load(JUDGE)
    captions = judge.text_features([one.caption for one in scenes])
    similarity = cosine(judge.image_features(pictures), captions)
    return {
        "precision": float(scores.precision.mean()),
        "recall": float(scores.recall.mean()),
        "f1": float(scores.f1.mean()),
        "shape": read["shape"],
        "colour": read["colour"],
        "caption": float(similarity.mean()),
    }


def measure(count: int, pens: list[str]) -> list[dict[str, Any]]:
    """A row for every pen, as drawn and redrawn."""
    items = load_suite("sketchworld-edges-v1")[:count]
    scenes = [scene("test", int(item.item_id.rsplit("-", 1)[1])) for item in items]
    method, rows = load_method(), []
    size = (PICTURE, PICTURE)
    lines = [fit_sketch(Sketch(draw_pen(one, "1"), ""), size, None).strokes for one in scenes]
    with show_bars() as progress:
        for number, pen in enumerate(pens, start=1):
            for cell in (None, method_cell(method)):
                fitted = [fit_sketch(Sketch(draw_pen(one, pen), ""), size, cell) for one in scenes]
                redrawn = float(np.mean([one.thinned for one in fitted]))
                if cell is not None and not redrawn:
                    continue
                figures = score_all(draw_all(method, scenes, [one.strokes for one in fitted]), scenes, lines)
                kind = "as drawn" if cell is None else "redrawn"
                rows.append({"pen": pen, "strokes": kind, **figures, "redrawn": redrawn})
            progress("pens", number, len(pens))
    return rows


def method_cell(method: Any) -> int:
    """Pixels per latent of the method's backbone."""
    return int(method.backbone.vae_factor)


def format_table(rows: list[dict[str, Any]]) -> str:
    """Rows as a table in Markdown."""
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    for row in rows:
        cells = [f"{cell:.3f}" if isinstance(cell, float) else cell for cell in row.values()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=64)
    parser.add_argument(
        "--pens", nargs="+", default=["1", "4", "8", FILLED], help="widths in px, or 'filled'"
    )
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    rows = measure(chosen.items, chosen.pens)
    print(json.dumps(rows) if chosen.json else format_table(rows))


if __name__ == "__main__":
    main()
