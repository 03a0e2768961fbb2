"""The items of a report: each sketch beside its pictures, with the figures that they are sorted by."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from lepbench.evaluation.conditions import CONDITIONS, MODEL, REAL, UNGUIDED
from lepbench.evaluation.directions import find_direction
from lepbench.evaluation.figures import head_metrics, place_in_main
from lepbench.evaluation.layout import locate_edges, locate_picture
from lepbench.evaluation.sample import OK
from lepbench.files import require_within
from lepbench.publishing.pages.report_runs import ReportedRun
from lepbench.publishing.pages.thumbnails import Thumbnails

MOST = 256
"""Samples that are shown."""
EXTREME = 8
"""Of more, the worst and the best so many by each figure are among them."""
LONGEST = 400
"""Characters of a caption or a reason."""
MOST_FAILURES = 100
Key = tuple[str, int]
"""An item and the number of its sample."""


@dataclass(frozen=True)
class ShownPicture:
    """A picture of a row.

    Attributes:
        label: its condition or run.
        address: of its thumbnail; empty where there is none.
        link: of the picture itself.
        described: what it is, for those who do not see it.
    """

    label: str
    address: str
    link: str
    described: str


@dataclass(frozen=True)
class ShownItem:
    """A sample: its sketch, and the pictures of every run."""

    name: str
    caption: str
    level: str
    sketch: str
    pictures: Sequence[ShownPicture]


@dataclass(frozen=True)
class ItemSection:
    """The items of a report.

    Attributes:
        data: what they are sorted by: figures, and of each the values of the runs by item.
        total: samples of a run, of which those shown are a part.
    """

    items: Sequence[ShownItem]
    data: dict[str, Any]
    total: int


@dataclass(frozen=True)
class FailedSample:
    """A sample that failed."""

    run: str
    condition: str
    item: str
    number: int
    reason: str


def show_items(runs: Sequence[ReportedRun], folder: Path | None) -> ItemSection:
    """The items of runs of one suite.

    Args:
        folder: where the report lies, from which pictures are linked; None for no links.
    """
    keys = _list_keys(runs[0])
    figures = list_sample_figures(runs[0])
    shown = choose_keys(runs, keys, figures)
    thumbnails = Thumbnails()
    return ItemSection(
        items=[_show_item(runs, key, folder, thumbnails) for key in shown],
        data={
            "runs": [run.name for run in runs],
            "figures": _describe_figures(figures),
            "values": {name: _list_values(runs, shown, name) for name in figures},
        },
        total=len(keys),
    )


def list_failures(runs: Sequence[ReportedRun]) -> tuple[list[FailedSample], int]:
    """Samples that failed, and how many there are in all; the first are listed."""
    found = [
        FailedSample(
            run.name, row, item, number=int(number), reason=shorten(str(reason or "no reason was kept"))
        )
        for run in runs
        for row, item, number, reason in zip(*_list_failed(run), strict=True)
    ]
    return found[:MOST_FAILURES], len(found)


def _list_failed(run: ReportedRun) -> Iterator[list[Any]]:
    failed = run.samples[run.samples["status"] != OK]
    return (failed[name].tolist() for name in ("row", "item_id", "sample_index", "reason"))


def list_sample_figures(run: ReportedRun) -> list[str]:
    """The figures that single samples of the model have, the main ones first."""
    frame, rows = run.samples, run.record.rows[MODEL.name]
    numbers = [str(column) for column in frame.select_dtypes("number").columns]
    known = [name for name in numbers if name in rows and frame[name].notna().any()]
    return sorted(known, key=place_in_main)


def choose_keys(runs: Sequence[ReportedRun], keys: Sequence[Key], figures: Sequence[str]) -> list[Key]:
    """The samples that are shown: all, or those at the ends of each figure and the first."""
    if len(keys) <= MOST:
        return list(keys)
    ends = (
        key
        for name in figures
        for run in runs
        for ordered in [run.drawn[name].dropna().sort_values(kind="stable").index]
        for key in (*ordered[:EXTREME], *ordered[-EXTREME:])
    )
    chosen = list(islice(dict.fromkeys(chain(ends, keys)), MOST))
    places = {key: place for place, key in enumerate(keys)}
    return sorted(chosen, key=places.__getitem__)


def shorten(text: str) -> str:
    """A text of bounded length."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _list_keys(run: ReportedRun) -> list[Key]:
    """The model's samples, in the order of the suite."""
    places = {item: place for place, item in enumerate(run.suite.item_ids)}
    keys = [(str(item), int(number)) for item, number in run.drawn.index]
    return sorted((key for key in keys if key[0] in places), key=lambda key: (places[key[0]], key[1]))


def _show_item(
    runs: Sequence[ReportedRun], key: Key, folder: Path | None, thumbnails: Thumbnails
) -> ShownItem:
    item = runs[0].suite[key[0]]
    several = runs[0].record.identity.samples_per_item > 1
    return ShownItem(
        name=f"{key[0]}, sample {key[1]}" if several else key[0],
        caption=shorten(item.prompt),
        level=item.level or "",
        sketch=thumbnails.show_sketch(item.input),
        pictures=[
            *(_show_picture(*place, key, folder, thumbnails) for place in _list_places(runs)),
            *(_show_edges(runs[0], key, folder, thumbnails) if len(runs) == 1 else ()),
        ],
    )


def _show_edges(
    run: ReportedRun, key: Key, folder: Path | None, thumbnails: Thumbnails
) -> Iterator[ShownPicture]:
    """The edges that the model predicted at its last guided step, where they are kept."""
    path = locate_edges(run.folder, key[0])
    if key[1] == 0 and path.is_file():
        require_within(run.folder, path)
        link = "" if folder is None else _link(path, folder)
        address = thumbnails.show_file(path, link)
        yield ShownPicture("predicted edges", address, link, f"edges predicted for item {key[0]}")


def _list_places(runs: Sequence[ReportedRun]) -> Iterator[tuple[ReportedRun, str, str]]:
    """Run, condition and label of the pictures of a row."""
    first = runs[0]
    # Of several runs the unguided pictures would be of the first alone.
    for kind in (REAL, UNGUIDED) if len(runs) == 1 else (REAL,):
        if first.has(kind.name):
            yield first, kind.name, kind.name
    yield from ((run, MODEL.name, run.name) for run in runs)


def _show_picture(
    run: ReportedRun, condition: str, label: str, key: Key, folder: Path | None, thumbnails: Thumbnails
) -> ShownPicture:
    item, number = key if CONDITIONS[condition].repeats else (key[0], 0)
    path = locate_picture(run.folder, condition, item, number)
    if not path.is_file():
        return ShownPicture(label, "", "", f"{label}: no picture")
    require_within(run.folder, path)
    link = "" if folder is None else _link(path, folder)
    return ShownPicture(label, thumbnails.show_file(path, link), link, f"{label}, item {item}")


def _link(path: Path, folder: Path) -> str:
    return quote(os.path.relpath(path.resolve(), folder.resolve()).replace(os.sep, "/"))


def _describe_figures(names: Sequence[str]) -> list[dict[str, str]]:
    titles = head_metrics(names)
    return [{"name": name, "title": titles[name], "better": find_direction(name)} for name in names]


def _list_values(runs: Sequence[ReportedRun], keys: Sequence[Key], name: str) -> list[list[float | None]]:
    """A figure of every run, by item."""
    places = pd.MultiIndex.from_tuples(keys, names=["item_id", "sample_index"])
    found = [run.drawn[name].reindex(places) for run in runs if name in run.drawn]
    return [[_round(value) for value in values] for values in found]


def _round(value: Any) -> float | None:
    if value is None or pd.isna(value) or not math.isfinite(value):
        return None
    return float(f"{float(value):.4g}")
