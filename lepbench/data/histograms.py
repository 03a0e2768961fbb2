"""Histograms of a data set, for its card."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lepbench.data.schema import UNKNOWN
from lepbench.data.similar import Hashes, short

COLUMNS = ["text", "width", "height", "edge_density", "phash", "sha256", "licence"]
BINS = 40
DPI = 100


class HistogramColumns(NamedTuple):
    """Statistics of N rows for a card: about forty bytes per row, whatever the captions' length.

    Attributes:
        words: of the captions.
        sides: short sides of the originals, px.
        shares: of pixels on an edge, in [0, 1].
        originals, looks: hashes.
        licences: rows of each.
    """

    words: NDArray[np.int64]
    sides: NDArray[np.int64]
    shares: NDArray[np.float64]
    originals: Hashes
    looks: Hashes
    licences: Counter[str]


def read_columns(paths: Sequence[Path]) -> HistogramColumns:
    """The statistics of all rows."""
    parts = [_columns(pq.read_table(path, columns=COLUMNS)) for path in paths]
    return HistogramColumns(
        words=np.concatenate([part.words for part in parts]),
        sides=np.concatenate([part.sides for part in parts]),
        shares=np.concatenate([part.shares for part in parts]),
        originals=np.concatenate([part.originals for part in parts]),
        looks=np.concatenate([part.looks for part in parts]),
        licences=sum((part.licences for part in parts), Counter()),
    )


def _columns(table: pa.Table) -> HistogramColumns:
    return HistogramColumns(
        words=pc.count_substring(table["text"], " ").to_numpy().astype(np.int64) + 1,
        sides=np.minimum(table["width"].to_numpy(), table["height"].to_numpy()).astype(np.int64),
        shares=table["edge_density"].to_numpy(),
        originals=short(table["sha256"].to_pylist()),
        looks=short(table["phash"].to_pylist()),
        licences=_licences(table["licence"]),
    )


def _licences(column: pa.ChunkedArray) -> Counter[str]:
    """Rows of each licence, on one line each; empty means that none was stated."""
    found: Counter[str] = Counter()
    for counted in pc.value_counts(column).to_pylist():
        found[" ".join((counted["values"] or "").split()) or UNKNOWN] += counted["counts"]
    return found


def histograms(columns: HistogramColumns) -> bytes:
    """Share of pixels on an edge, words of captions and short sides of originals, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 2.6), dpi=DPI)
    panels = figure.subplots(1, 3, gridspec_kw={"left": 0.06, "right": 0.98, "bottom": 0.2, "top": 0.95})
    named = {
        "pixels on an edge, %": 100 * columns.shares,
        "words in a caption": columns.words,
        "short side of the original, px": columns.sides,
    }
    for panel, (name, values) in zip(panels, named.items(), strict=True):
        panel.hist(values, bins=BINS, color="0.35")
        panel.set_xlabel(name)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("rows")
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    return drawn.getvalue()
