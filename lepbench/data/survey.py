"""Dry run of a build: counts, estimated cost and some triplets."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from lepbench.data.account import Account
from lepbench.data.build import existing_manifest, explain_few_captions, plan_build
from lepbench.data.config import BuildConfig
from lepbench.data.entries import make_rows
from lepbench.data.job import Job
from lepbench.data.read import Triplet, decode_row
from lepbench.data.shards import report_memory_error
from lepbench.engines.base import ignore_entries
from lepbench.threads import use_threads

SHOWN = 16


class Survey(NamedTuple):
    """Estimate for a whole build from evenly spaced entries.

    Attributes:
        entries: number of entries to be tried.
        sampled: number of sampled entries.
        rejected: sampled entries that were rejected, by reason; duplicates and leakage are not checked.
        seconds: for all entries, in one process.
        bytes: of all rows.
        triplets: the rows of the sample.
        note: what the source did not read, where few entries have a caption.
    """

    entries: int
    sampled: int
    rejected: dict[str, int]
    seconds: float
    bytes: int
    triplets: list[Triplet]
    note: str


def survey_build(
    config: BuildConfig, out: Path | None = None, retry: bool = False, sample: int = SHOWN
) -> Survey:
    """Try a few entries of a configuration as a build does; nothing is written.

    Args:
        out: the folder that would be written; None where that is not known yet.
        retry: as of a build that tries again what failed.

    Raises:
        LepbenchError: as for a build.
    """
    config, corpus, _, recipe = plan_build(config, out)
    if out is not None:
        existing_manifest(out, recipe, retry)
    sampled = min(sample, corpus.count)
    numbers = [place * corpus.count // sampled for place in range(sampled)]
    job, account = Job(out or Path(), corpus, config, recipe), Account(recipe.sha256)
    started = time.perf_counter()
    with use_threads(1), report_memory_error("this look"):
        found = list(make_rows(job, numbers, account, ignore_entries))
    rejects = Counter(str(reject.reason) for reject in account.rejects)
    share = corpus.count / sampled
    return Survey(
        entries=corpus.count,
        sampled=sampled,
        rejected=dict(sorted(rejects.items())),
        seconds=share * (time.perf_counter() - started),
        bytes=round(
            share * sum(len(row[key]["bytes"]) for row in found for key in ("image", "conditioning_image"))
        ),
        triplets=[decode_row(row) for row in found],
        note=explain_few_captions(corpus, rejects, len(found)),
    )
