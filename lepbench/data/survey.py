"""A look at a build before it is made: what there is, what it would cost, and some of it to see."""

from __future__ import annotations

import time
from collections import Counter
from typing import NamedTuple

from lepbench.data.build import open_corpus
from lepbench.data.config import BuildConfig
from lepbench.data.corpus import Rejected
from lepbench.data.read import Triplet, decoded
from lepbench.data.shards import Row
from lepbench.data.triplet import edge_density, edges_of, prepare, row_of
from lepbench.detectors import identity

SHOWN = 16


class Survey(NamedTuple):
    """What a sample of evenly spaced entries says of the whole.

    Attributes:
        entries: how many would be tried.
        sampled: how many were.
        rejected: of these, left out, by reason; duplicates and leakage are not looked for.
        seconds: for all entries, in one process.
        bytes: of all rows.
        triplets: the rows of the sample.
    """

    entries: int
    sampled: int
    rejected: dict[str, int]
    seconds: float
    bytes: int
    triplets: list[Triplet]


def survey(config: BuildConfig, sample: int = SHOWN) -> Survey:
    """Try a few entries of a configuration; nothing is written.

    Raises:
        LepbenchError: there is nothing to read.
    """
    corpus = open_corpus(config)
    sampled = min(sample, corpus.count)
    numbers = [place * corpus.count // sampled for place in range(sampled)]
    rejects: Counter[str] = Counter()
    rows: list[Row] = []
    started = time.perf_counter()
    for number in numbers:
        try:
            picture = prepare(corpus.entry(number), config)
            (edges,) = edges_of([picture], config)
            density = edge_density(edges, config)
            rows.append(row_of(picture, edges, density, corpus, identity(config.detector)))
        except Rejected as rejected:
            rejects[str(rejected.reason)] += 1
    share = corpus.count / sampled
    return Survey(
        entries=corpus.count,
        sampled=sampled,
        rejected=dict(sorted(rejects.items())),
        seconds=share * (time.perf_counter() - started),
        bytes=round(
            share * sum(len(row[key]["bytes"]) for row in rows for key in ("image", "conditioning_image"))
        ),
        triplets=[decoded(row) for row in rows],
    )
