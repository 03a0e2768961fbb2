"""The data card of a triplet folder: a README for readers and for `datasets`."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from lepbench.colours import CONVERTED, UNREAD
from lepbench.data.corpus import Corpus
from lepbench.data.histograms import HistogramColumns, histograms, read_columns
from lepbench.data.hub_licences import describe_licences
from lepbench.data.manifest import Manifest
from lepbench.data.picture import encode_picture
from lepbench.data.schema import UNKNOWN
from lepbench.data.sheet import draw_contact_sheet
from lepbench.data.similar import first_of_kind
from lepbench.files import write_bytes, write_text

CARD = "README.md"
SHEET = "contact_sheet.png"
HISTOGRAMS = "histograms.png"
SHOWN = 10
"""Licences that a card names."""


def write_card(out: Path, manifest: Manifest, corpus: Corpus) -> None:
    """Write `README.md` and its two pictures into a folder whose shards are finished."""
    from lepbench.data.read import Triplets

    columns = read_columns([out / shard.file for shard in manifest.shards])
    write_bytes(out / SHEET, encode_picture(draw_contact_sheet(Triplets(out, manifest)), "PNG"))
    write_bytes(out / HISTOGRAMS, histograms(columns))
    write_text(
        out / CARD, f"---\n{header(columns, manifest, corpus)}---\n\n{body(columns, manifest, corpus)}"
    )


def header(columns: HistogramColumns, manifest: Manifest, corpus: Corpus) -> str:
    """The card's YAML; it names the data files, so that other images and JSON are not loaded as data."""
    fields = {
        "pretty_name": f"{corpus.label} {corpus.split}: picture, edges, caption",
        **describe_licences(by_rows(columns.licences)),
        "task_categories": ["text-to-image", "image-to-image"],
        "size_categories": [choose_size(manifest.written)],
        "tags": ["edges", "sketch", "controllable-generation"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": manifest.recipe.split, "path": "data/*.parquet"}],
            }
        ],
    }
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)


def choose_size(rows: int) -> str:
    """The hub's category of a number of rows, such as `1K<n<10K`."""
    limits = {"1K": 10**3, "10K": 10**4, "100K": 10**5, "1M": 10**6, "10M": 10**7, "100M": 10**8, "1B": 10**9}
    below = ""
    for name, limit in limits.items():
        if rows < limit:
            return f"{below}n<{name}"
        below = f"{name}<"
    return "n>1B"


def by_rows(licences: Counter[str]) -> dict[str, int]:
    """Licences and their rows, the most frequent first."""
    return dict(sorted(licences.items(), key=lambda pair: (-pair[1], pair[0])))


def body(columns: HistogramColumns, manifest: Manifest, corpus: Corpus) -> str:
    """The card's Markdown."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("lepbench.data", "."), undefined=StrictUndefined, keep_trailing_newline=True
    )
    recipe = manifest.recipe.model_dump(mode="json")
    return environment.get_template("card.md.j2").render(
        manifest=manifest,
        label=" ".join(corpus.label.split()),
        **told_of(by_rows(columns.licences)),
        converted=manifest.flags.get(CONVERTED, 0),
        unread=manifest.flags.get(UNREAD, 0),
        edge_share=float(np.mean(columns.shares)),
        recipe=yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True).strip(),
        **repeated(columns, manifest.recipe.hygiene["distance"]),
    )


def told_of(licences: dict[str, int]) -> dict[str, Any]:
    """Licences on a card: the most frequent by name, the number of others, and rows without one."""
    shown = dict(islice(licences.items(), SHOWN))
    return {
        "licences": {name.replace("|", "\\|"): rows for name, rows in shown.items()},
        "more_licences": len(licences) - len(shown),
        "their_rows": sum(licences.values()) - sum(shown.values()),
        "unlicensed": sum(rows for name, rows in licences.items() if name.lower() == UNKNOWN),
    }


def repeated(columns: HistogramColumns, distance: int) -> dict[str, Any]:
    """Numbers of rows with a repeated original, and of near duplicates of an earlier row."""
    _, times = np.unique(columns.originals, return_counts=True)
    kept = first_of_kind(columns.looks, distance)
    return {
        "repeated": int(times[times > 1].sum()),
        "alike": int(np.count_nonzero(columns.originals != columns.originals[kept])),
    }
