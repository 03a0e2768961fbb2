"""Licences as the hub knows them on cards.

Source: the table of huggingface.co/docs/hub/repositories-licenses.
"""

from __future__ import annotations

import re
from typing import Any

OTHER = "other"
UNNAMED = "by-picture"
"""The name of a licence that stands for several."""
IDENTIFIERS = frozenset(
    [
        "afl-3.0",
        "agpl-3.0",
        "apache-2.0",
        "artistic-2.0",
        "bigcode-openrail-m",
        "bigscience-bloom-rail-1.0",
        "bigscience-openrail-m",
        "bsd",
        "bsd-2-clause",
        "bsd-3-clause",
        "bsd-3-clause-clear",
        "bsl-1.0",
        "c-uda",
        "cc",
        "cc-by-2.0",
        "cc-by-2.5",
        "cc-by-3.0",
        "cc-by-4.0",
        "cc-by-nc-2.0",
        "cc-by-nc-3.0",
        "cc-by-nc-4.0",
        "cc-by-nc-nd-3.0",
        "cc-by-nc-nd-4.0",
        "cc-by-nc-sa-2.0",
        "cc-by-nc-sa-3.0",
        "cc-by-nc-sa-4.0",
        "cc-by-nd-4.0",
        "cc-by-sa-3.0",
        "cc-by-sa-4.0",
        "cc0-1.0",
        "cdla-permissive-1.0",
        "cdla-permissive-2.0",
        "cdla-sharing-1.0",
        "creativeml-openrail-m",
        "deepfloyd-if-license",
        "ecl-2.0",
        "epl-1.0",
        "epl-2.0",
        "etalab-2.0",
        "eupl-1.1",
        "gemma",
        "gfdl",
        "gpl",
        "gpl-2.0",
        "gpl-3.0",
        "isc",
        "lgpl",
        "lgpl-2.1",
        "lgpl-3.0",
        "lgpl-lr",
        "llama2",
        "lppl-1.3c",
        "mit",
        "mpl-2.0",
        "ms-pl",
        "ncsa",
        "odbl",
        "odc-by",
        "ofl-1.1",
        "openrail",
        "openrail++",
        "osl-3.0",
        "other",
        "pddl",
        "postgresql",
        "unknown",
        "unlicense",
        "wtfpl",
        "zlib",
    ]
)
"""By which the hub shows and filters; a licence of another name is `other` with a name of its own."""


def describe_licences(licences: dict[str, int]) -> dict[str, Any]:
    """The licence fields of a card.

    Args:
        licences: names, such as SPDX identifiers, and the rows that have each, the most frequent first.

    Returns:
        `license`: one identifier, or all that occur; `license_name` where one of them is `other`.
    """
    names = (name.lower() for name in licences)
    said = list(dict.fromkeys(name if name in IDENTIFIERS else OTHER for name in names))
    fields: dict[str, Any] = {"license": said[0] if len(said) == 1 else said}
    if OTHER in said:
        fields["license_name"] = make_identifier(next(iter(licences))) if len(licences) == 1 else UNNAMED
    return fields


def make_identifier(name: str) -> str:
    """A licence's name as the hub takes one that it does not know: `Flickr terms` is `flickr-terms`."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-") or UNNAMED
