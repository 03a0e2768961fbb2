"""The data card of a triplet folder: a README that people and `datasets` both read."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import yaml

from lepbench.data.corpus import Corpus
from lepbench.data.manifest import Manifest
from lepbench.data.sheet import contact_sheet
from lepbench.files import write_bytes, write_text
from lepbench.images import png_bytes

CARD = "README.md"
SHEET = "contact_sheet.png"
# Identifiers by which dataset hubs know a licence; any other is given by its name.
KNOWN_LICENCES = frozenset(
    [
        "apache-2.0",
        "cc-by-4.0",
        "cc-by-nc-4.0",
        "cc-by-nc-sa-4.0",
        "cc-by-sa-4.0",
        "cc0-1.0",
        "mit",
        "unknown",
    ]
)


def write_card(out: Path, manifest: Manifest, corpus: Corpus) -> None:
    """Write `README.md` and `contact_sheet.png` into a finished triplet folder."""
    from lepbench.data.read import Triplets

    write_bytes(out / SHEET, png_bytes(contact_sheet(Triplets(out))))
    write_text(out / CARD, f"---\n{header(manifest, corpus)}---\n\n{body(out, manifest, corpus)}")


def header(manifest: Manifest, corpus: Corpus) -> str:
    """The card's YAML; it names the data files, lest pictures and JSON beside them be taken for data."""
    licence = corpus.licence.lower()
    known = licence in KNOWN_LICENCES
    fields = {
        "pretty_name": f"{corpus.label} {corpus.split}: picture, edges, caption",
        "license": licence if known else "other",
        **({} if known else {"license_name": corpus.licence}),
        "task_categories": ["text-to-image", "image-to-image"],
        "tags": ["edges", "sketch", "controllable-generation"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": manifest.recipe.split, "path": "data/*.parquet"}],
            }
        ],
    }
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)


def body(out: Path, manifest: Manifest, corpus: Corpus) -> str:
    """The card's Markdown."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("lepbench.data", "."), undefined=StrictUndefined, keep_trailing_newline=True
    )
    recipe = manifest.recipe.model_dump(mode="json")
    return environment.get_template("card.md.j2").render(
        manifest=manifest,
        label=" ".join(corpus.label.split()),
        licence=" ".join(corpus.licence.split()),
        edge_share=manifest.edge_pixels / (manifest.written * manifest.recipe.size**2),
        repeated=repeated(out, manifest),
        recipe=yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True).strip(),
    )


def repeated(out: Path, manifest: Manifest) -> int:
    """How many rows share their original, byte for byte, with another row."""
    import pyarrow.parquet as pq

    times: Counter[str] = Counter()
    for shard in manifest.shards:
        times.update(pq.read_table(out / shard.file, columns=["sha256"])["sha256"].to_pylist())
    return sum(count for count in times.values() if count > 1)
