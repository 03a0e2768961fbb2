"""Suites of variants: the items of another suite, each several times with one thing changed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import ClassVar, NamedTuple

from lepbench.detectors import select_detector
from lepbench.errors import LepbenchError
from lepbench.sketches import Unusable
from lepbench.suite_sources.base import DRAWINGS, Candidate, Candidates, SuiteItem, SuiteSource
from lepbench.suites import TRUTHS, Item, Suite, Truth, load_suite
from lepbench.suites.freeze import ItemRow


class OriginalItem(NamedTuple):
    """An item that variants are made of.

    Attributes:
        item: decoded.
        row: its columns as they are frozen, pictures encoded.
        suite: that it is of.
    """

    item: Item
    row: ItemRow
    suite: Suite


class VariantSource(SuiteSource):
    """Variants of the items of a suite. A subclass names the `protocol` that scores them and what it `needs`.

    All variants of an item are made, or none. They stand together, so that any number of items from the
    front is of whole sets but the last, and share the noise of the item that they are made of.

    Settings: `path`, a suite by its name or folder; `items`, how many of its items are taken from the front,
    the number that a score of it is made of unless given; `seed`, of what is chosen at random.
    """

    needs: ClassVar[tuple[Truth, ...]] = ()
    protocol: ClassVar[str]
    question: ClassVar[str]
    """What the variants differ in, the end of a sentence."""
    keeps_sketch: ClassVar[bool] = False
    """Whether pictures are compared with the sketch of the original: an edge map stays one then."""
    path: Path

    @property
    def most(self) -> int:
        return self.count_originals(load_suite(str(self.path))) * len(self.list_levels())

    def count_originals(self, suite: Suite) -> int:
        """How many items of a suite are taken."""
        return self.items or suite.definition.default_items

    @abstractmethod
    def list_levels(self) -> tuple[str, ...]:
        """What the variants of an item are called, in order; of characters that names of files have."""

    @abstractmethod
    def vary(self, original: OriginalItem, level: str) -> ItemRow:
        """The columns in which a variant differs from its original.

        Raises:
            lepbench.sketches.Unusable: it cannot be made.
        """

    def open(self) -> VariantCandidates:
        """Index the variants.

        Raises:
            LepbenchError: a level is named twice, or the suite lacks what they need, or is one of variants.
        """
        levels = self.list_levels()
        if repeated := next((level for level in levels if levels.count(level) > 1), None):
            raise LepbenchError(f"{self.name} names level {repeated!r} twice", "name each once")
        return VariantCandidates(self, load_originals(self.name, self.path, self.needs))


def load_originals(source: str, path: Path, needs: Iterable[Truth]) -> Suite:
    """The suite whose items a source takes.

    Args:
        source: its name, for messages.
        needs: truths of the suite.

    Raises:
        LepbenchError: there is no such suite, it lacks a truth, or its items are variants.
    """
    suite = load_suite(str(path))
    about = suite.definition
    if about.variants_of is not None:
        raise LepbenchError(
            f"suite {suite.name!r} holds variants already", f"take {about.variants_of!r} instead"
        )
    for truth in needs:
        if truth not in about.truths:
            raise LepbenchError(
                f"{source} needs {TRUTHS[truth]}, and suite {suite.name!r} has none",
                "take another suite",
            )
    return suite


class VariantCandidates(Candidates):
    """The variants of every item of a suite, those of an item together."""

    def __init__(self, source: VariantSource, suite: Suite) -> None:
        about = suite.definition
        self.source, self.suite, self.levels = source, suite, source.list_levels()
        self.count = len(suite) * len(self.levels)
        self.corpus = f"{source.name} of {suite.name}"
        self.settings = {
            "suite_sha256": suite.sha256,
            **source.model_dump(mode="json", exclude={"name", "path", "items", "seed"}),
        }
        self.description = f"Items of {suite.name}, each {len(self.levels)} times: {source.question}."
        self.licence, self.size = about.licence, about.size
        self.edges = source.keeps_sketch and "edges" in about.truths
        # Of edge maps that are none any more the suite's own protocol would ask in vain.
        elsewhere = about.protocol if self.edges or "edges" not in about.truths else DRAWINGS
        self.protocol = source.protocol if "scene" in about.truths else elsewhere
        self.detector = select_detector(about.detector)
        if about.contour_detector is not None:
            self.contour_detector = select_detector(about.contour_detector)
        self.variants_of = about.name
        self._make_all = lru_cache(maxsize=1)(self._vary_item)

    def queues(self) -> Iterator[Iterable[Candidate]]:
        yield (
            Candidate(partial(self._name, position, level), partial(self._make, position, level))
            for position in range(len(self.suite))
            for level in self.levels
        )

    def _name(self, position: int, level: str) -> str:
        return f"{self.suite.item_ids[position]}-{level}"

    def _make(self, position: int, level: str) -> SuiteItem:
        made = self._make_all(position)
        if isinstance(made, Unusable):
            raise made
        return SuiteItem(made[level])

    def _vary_item(self, position: int) -> dict[str, ItemRow] | Unusable:
        """The rows of all variants of an item by level, or why there are none."""
        row = self.suite.read_row(position)
        original = OriginalItem(self.suite[position], row, self.suite)
        try:
            return {
                level: row
                | {
                    "item_id": self._name(position, level),
                    "original": original.item.item_id,
                    "level": level,
                    **self.source.vary(original, level),
                }
                for level in self.levels
            }
        except Unusable as unusable:
            return unusable
