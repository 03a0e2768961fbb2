"""Pictures of how a set is distributed, for its card."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = ["text", "width", "height", "edge_density", "phash", "sha256"]
BINS = 40
DPI = 100


def read_columns(paths: Sequence[Path]) -> pa.Table:
    """What a card counts, of all rows."""
    return pa.concat_tables(pq.read_table(path, columns=COLUMNS) for path in paths)


def histograms(columns: pa.Table) -> bytes:
    """Share of pixels on an edge, words of captions and short sides of originals, as a PNG."""
    from matplotlib.figure import Figure

    shares = 100 * np.asarray(columns["edge_density"])
    words = [text.as_py().count(" ") + 1 for text in columns["text"]]
    sides = np.minimum(columns["width"], columns["height"])
    figure = Figure(figsize=(10, 2.6), dpi=DPI)
    panels = figure.subplots(1, 3, gridspec_kw={"left": 0.06, "right": 0.98, "bottom": 0.2, "top": 0.95})
    named = {
        "pixels on an edge, %": shares,
        "words in a caption": words,
        "short side of the original, px": sides,
    }
    for panel, (name, values) in zip(panels, named.items(), strict=True):
        panel.hist(values, bins=BINS, color="0.35")
        panel.set_xlabel(name)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("rows")
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    return drawn.getvalue()
