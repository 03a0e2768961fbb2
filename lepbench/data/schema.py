"""The columns of a shard, named as the diffusers training scripts expect."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

ROW_GROUP = 8
"""Rows per Parquet row group: small, so that reading one row is cheap."""

UNKNOWN = "unknown"
"""Value of the `licence` column if no licence is stated."""

TripletRow = dict[str, Any]
"""A stored row, by the columns of `make_arrow_schema`."""


def make_arrow_schema() -> pa.Schema:
    """The Arrow schema whose metadata lets `datasets.load_dataset` decode the two picture columns.

    `image` is an RGB PNG or JPEG, `conditioning_image` a bilevel PNG, white on an edge, black elsewhere.
    Provenance: `id`, `source`, `licence`, `width` and `height` of the original in px, `detector` with every
    setting, `sha256` of the original's bytes, or of its pixels where it was drawn and has no file, and
    `phash`, the perceptual hash of its centre square as 16 hexadecimal digits. Quality: `edge_density`, the
    share of pixels on an edge, and `flags`, what was done to picture and caption.
    """
    from datasets import Features, Image, List, Value

    text, number = Value("string"), Value("int32")
    features: dict[str, Any] = {
        "image": Image(),
        "conditioning_image": Image(),
        "text": text,
        "id": text,
        "source": text,
        "licence": text,
        "width": number,
        "height": number,
        "detector": text,
        "sha256": text,
        "phash": text,
        "edge_density": Value("float32"),
        "flags": List(text),
    }
    return Features(features).arrow_schema
