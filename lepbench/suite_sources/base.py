"""Base classes of what suites are made of: configurations that open candidates for items."""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np
from pydantic import Field

from lepbench.config import Config
from lepbench.detectors import Detector
from lepbench.registry import Registry
from lepbench.seeds import derive_seed
from lepbench.sketches import Name
from lepbench.suites.freeze import ItemRow

DRAWINGS = "lepbench-drawings-v2"
"""The protocol of suites whose sketches people drew."""
PHOTOGRAPHS = "lepbench-photographs-v1"
"""The protocol of suites whose sketches are edge maps of photographs."""
DEFAULT_ITEMS = 256
T = TypeVar("T")


class SuiteItem(NamedTuple):
    """An item as it is frozen.

    Attributes:
        row: of the suite's `SCHEMA`.
        unsupported: how often something in its sketch is not drawn, or not as it should be, by its name.
        changes: what was done to the sketch to read it.
    """

    row: ItemRow
    unsupported: Mapping[str, int] = {}
    changes: tuple[str, ...] = ()


class Candidate(NamedTuple):
    """What may become an item.

    Attributes:
        name: gives its name in the corpus, for the list of those that are left out.
        make: gives the item, or raises `lepbench.sketches.Unusable`. It is called in the order of the suite.
    """

    name: Callable[[], str]
    make: Callable[[], SuiteItem]


class Candidates(ABC):
    """An opened corpus, and what is said of a suite of it.

    Attributes:
        count: how many candidates there are, usable or not.
        corpus: what `suite.yaml` calls it.
        settings: all that decides the choice, without local paths.
        description: of the suite, a sentence.
        licence: of the items that have none of their own.
        size: side of pictures and sketches, px.
        protocol: the name of the one that scores the suite.
        detector: whose map of a sample is held against the sketch.
        edges: whether the sketches are the detector's maps of the pictures.
        all_by_default: whether a score is made of all items; of the first 64 if not.
        contour_detector: whose map of a sample is held against the exact contours, where they are known.
        variants_of: the suite whose items these are variants of; None where they are none.
        levels: the variants that each of those has, in order.
    """

    count: int
    corpus: str
    settings: dict[str, Any]
    description: str
    licence: str
    size: int
    protocol: str = DRAWINGS
    detector: Detector
    edges: bool = False
    all_by_default: bool = True
    contour_detector: Detector | None = None
    variants_of: str | None = None
    levels: tuple[str, ...] = ()

    @abstractmethod
    def queues(self) -> Iterable[Iterable[Candidate]]:
        """The candidates of each class in the order in which they are taken; the classes alternate."""


class SuiteSource(Config, ABC):
    """What a suite is made of. A subclass narrows `name` to its own and adds its options and settings.

    Of the options of `lepbench suite make` a source takes those that it has fields for: `items`, `size`,
    `seed`, `prompt`, `detector`, `device`, `exclude` and `secret`.

    Settings: `items`, how many are taken at most; `seed`, of the hash that they are ordered by.
    """

    name: str
    items: int | None = Field(default=None, ge=1, lt=2**31)
    seed: int = Field(default=0, ge=-(2**63), lt=2**63)

    @classmethod
    def from_request(
        cls, name: str, path: Path | None, options: Mapping[str, Any], settings: Mapping[str, Any]
    ) -> Self:
        """The source that a command asks for.

        Args:
            path: where the corpus is; None for one that needs none.
            options: of the command.
            settings: of the corpus, which `--set` gives.

        Raises:
            ValidationError: a key is unknown or missing, or a value does not fit.
        """
        place = {} if path is None else {"path": path}
        return cls.model_validate({**settings, **options, **place, "name": name})

    @classmethod
    def needs_path(cls, name: str) -> bool:
        """Whether the corpus of a name lies somewhere that must be given."""
        return "path" in cls.model_fields and cls.model_fields["path"].is_required()

    @property
    def most(self) -> int:
        """How many items are taken at most."""
        return self.items or DEFAULT_ITEMS

    @property
    def least(self) -> int:
        """How many items a suite must have."""
        return 1

    def check_place(self, folder: Path) -> None:
        """Refuse a folder for the suite in which it cannot lie.

        Raises:
            LepbenchError: it is such a folder.
        """

    @abstractmethod
    def open(self) -> Candidates:
        """Index the candidates without reading them.

        Raises:
            LepbenchError: there is nothing to read.
        """


SUITE_SOURCES: Registry[type[SuiteSource]] = Registry("suite source", SuiteSource)


def order_names(names: Iterable[Name], seed: int) -> Iterator[list[int]]:
    """The numbers of each class's entries by a hash of their ids, the classes by a hash of their labels."""
    hashes: defaultdict[str | None, array[int]] = defaultdict(lambda: array("Q"))
    numbers: defaultdict[str | None, array[int]] = defaultdict(lambda: array("Q"))
    for number, name in enumerate(names):
        hashes[name.label].append(derive_seed(seed, name.id))
        numbers[name.label].append(number)
    for label in sorted(hashes, key=lambda label: derive_seed(seed, label or "")):
        order = np.argsort(np.array(hashes[label]), kind="stable")
        yield np.array(numbers[label])[order].tolist()


def take_turns(queues: Iterable[Iterable[T]]) -> Iterator[T]:
    """The elements of queues, one of each in turn until all are empty; none is read ahead."""
    turns = deque(iter(queue) for queue in queues)
    while turns:
        queue = turns.popleft()
        for element in islice(queue, 1):
            yield element
            turns.append(queue)
