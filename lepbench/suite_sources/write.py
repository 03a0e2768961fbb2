"""Write a suite of a source: take candidates by turns, freeze them, and list what was left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from lepbench.errors import LepbenchError
from lepbench.files import list_visible
from lepbench.progress import Progress, ignore_progress
from lepbench.sketches import Fault, Unusable
from lepbench.suite_sources.base import Candidate, Candidates, SuiteItem, SuiteSource, take_turns
from lepbench.suite_sources.rejects import (
    REJECTED,
    UNSUPPORTED,
    RejectedCandidate,
    UnsupportedParts,
    count_parts,
    count_reasons,
    describe_rejects,
    write_lines,
)
from lepbench.suites.definition import Drawn, SuiteDefinition
from lepbench.suites.freeze import FrozenItems, ItemRow, define_suite, write_items
from lepbench.suites.suite import ITEMS

SCORED = 64
"""Items that a score is made of unless said otherwise, where the order is a hash's and there are more."""
NAME = re.compile(r"\w[\w.-]{0,99}")
Picked = tuple[Candidate, SuiteItem]


class MadeSuite(NamedTuple):
    """What was made.

    Attributes:
        definition: of the suite.
        candidates: how many there were.
        rejects: the candidates that were left out.
        parts: the items of which a part is not drawn.
    """

    definition: SuiteDefinition
    candidates: int
    rejects: list[RejectedCandidate]
    parts: list[UnsupportedParts]


def write_suite(
    source: SuiteSource, folder: Path, progress: Progress = ignore_progress, name: str | None = None
) -> MadeSuite:
    """Write a suite into `folder`.

    A candidate that cannot be used is a line of `rejected.jsonl`, and the next one of its class is taken.

    Args:
        progress: called with (stage, done, total).
        name: of the suite, a part of its items' seeds; `CORPUS-ITEMS` unless given, ITEMS as `items` of the
            source counts them: of variants, the originals.

    Raises:
        LepbenchError: too few candidates can be used, or the folder holds files or cannot be written.
    """
    if name is not None and not NAME.fullmatch(name):
        raise LepbenchError(
            f"name {name!r} is no name of a suite", "use letters, digits and . _ -, a letter or digit first"
        )
    leftovers = list_leftovers(folder)
    source.check_place(folder)
    found = source.open()
    selection = Selection(found, source, folder / REJECTED)
    for path in leftovers:
        path.unlink(missing_ok=True)
    try:
        items = write_items(folder, selection.rows(progress))
    finally:
        write_lines(folder / REJECTED, selection.rejects)
        # Only if nothing is in it, because there were no items.
        with suppress(OSError):
            folder.rmdir()
    write_lines(folder / UNSUPPORTED, selection.parts)
    definition = selection.define(
        folder, items, name or f"{source.name}-{items.rows // max(1, len(found.levels))}"
    )
    return MadeSuite(definition, found.count, selection.rejects, selection.parts)


def announce_suite(found: Candidates, name: str) -> dict[str, Any]:
    """What `suite.yaml` says of a suite whatever items are taken."""
    return {
        "name": name,
        "protocol": found.protocol,
        "licence": found.licence,
        "size": found.size,
        "detector": found.detector.model_dump(mode="json"),
        "contour_detector": found.contour_detector and found.contour_detector.model_dump(mode="json"),
        "variants_of": found.variants_of,
        "levels": found.levels,
    }


def announce_drawing(found: Candidates, source: SuiteSource) -> dict[str, Any]:
    """What it says below `drawn` of the choice of items, before one is chosen."""
    return {"corpus": found.corpus, "settings": found.settings, "seed": source.seed}


def list_leftovers(folder: Path) -> list[Path]:
    """The files of a suite that was not finished, which another run may replace; a definition finishes one.

    Raises:
        LepbenchError: the folder holds others, or is a file.
    """
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise LepbenchError(f"{folder} is a file", "choose another --out")
    files = list_visible(folder)
    if any(path.name not in (REJECTED, UNSUPPORTED, ITEMS) for path in files):
        raise LepbenchError(f"{folder} is not empty", "choose another --out")
    return files


class Selection:
    """The items that are taken of candidates, and what was passed over.

    Args:
        rejected: the file that lists the latter, for messages.
    """

    def __init__(self, found: Candidates, source: SuiteSource, rejected: Path) -> None:
        self.found, self.source, self.rejected = found, source, rejected
        self.rejects: list[RejectedCandidate] = []
        self.parts: list[UnsupportedParts] = []
        self.changes: Counter[str] = Counter()

    def rows(self, progress: Progress) -> Iterator[ItemRow]:
        """The rows of the suite.

        Raises:
            LepbenchError: at the end, if there are too few.
        """
        total = min(self.source.most, self.found.count)
        done = 0
        picked = islice(pick_items(self.found.queues(), self.rejects), self.source.most)
        for done, (candidate, item) in enumerate(picked, start=1):
            if item.unsupported:
                self.parts.append(UnsupportedParts(id=candidate.name(), unsupported=item.unsupported))
            self.changes.update(item.changes)
            yield item.row
            progress("items", done, total)
        if done < self.source.least:
            raise self._explain_shortage(done)

    def define(self, folder: Path, items: FrozenItems, name: str) -> SuiteDefinition:
        """Write the definition of the suite."""
        found = self.found
        return define_suite(
            folder,
            items,
            edges=found.edges,
            **announce_suite(found, name),
            version=1,
            description=found.description,
            default_items=items.rows if found.all_by_default else min(items.rows, SCORED),
            drawn=Drawn(
                **announce_drawing(found, self.source),
                first_index=0,
                considered=items.rows + len(self.rejects),
                left_out=count_reasons(self.rejects),
                unsupported=count_parts(self.parts),
                changes=dict(self.changes.most_common()),
            ),
        )

    def _explain_shortage(self, usable: int) -> LepbenchError:
        why = f"; left out: {describe_rejects(self.rejects)}" if self.rejects else ""
        listed = [f"every reason is in {self.rejected}"] if self.rejects else []
        advice = ["lower --items"] if usable else [] if listed else ["check the path"]
        fix = "; ".join([*advice, *listed])
        return LepbenchError(f"only {usable} of {self.found.count} can be used{why}", fix)


def pick_items(queues: Iterable[Iterable[Candidate]], rejects: list[RejectedCandidate]) -> Iterator[Picked]:
    """Items, one of each queue in turn, no id twice; what is passed over goes to `rejects`."""
    used: set[str] = set()
    return take_turns(_usable(queue, used, rejects) for queue in queues)


def _usable(queue: Iterable[Candidate], used: set[str], rejects: list[RejectedCandidate]) -> Iterator[Picked]:
    """A queue's items, none of an id that is used already."""
    for candidate in queue:
        try:
            item = candidate.make()
            if item.row["item_id"] in used:
                raise Unusable(Fault.REPEATED, item.row["item_id"])
        except Unusable as unusable:
            rejects.append(
                RejectedCandidate(id=candidate.name(), reason=str(unusable.fault), detail=unusable.detail)
            )
            continue
        used.add(item.row["item_id"])
        yield candidate, item
