"""Suites of attributes: items of another suite, chosen so that relations and patterns are many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from lepbench.detectors import select_detector
from lepbench.seeds import derive_seed
from lepbench.suite_sources.base import (
    SUITE_SOURCES,
    Candidate,
    Candidates,
    SuiteItem,
    SuiteSource,
    take_turns,
)
from lepbench.suite_sources.variants import load_originals
from lepbench.suites import Suite, Truth, load_suite
from lepbench.suites.scenes import KnownScene, read_scene

KEYS: tuple[Callable[[KnownScene], str], ...] = (
    lambda scene: str(len(scene.things)),
    lambda scene: scene.relation or "",
    lambda scene: " ".join(sorted(thing.texture for thing in scene.things)),
)
"""What scenes alternate in: how many things they have, their relation, the textures of the things."""


@SUITE_SOURCES.register("attributes")
class AttributesSource(SuiteSource):
    """Items of a suite with scenes, as they are: one thing and two in turn, all relations and textures alike.

    Each is as frequent as the others as long as the suite has it.

    Settings: `path`, a suite by its name or folder; `items`, how many are taken, the number that a score of
    it is made of unless given; `seed`, of the hash that they are ordered by.
    """

    needs: ClassVar[tuple[Truth, ...]] = ("scene",)
    name: Literal["attributes"] = "attributes"
    path: Path

    @property
    def most(self) -> int:
        return self.items or load_suite(str(self.path)).definition.default_items

    def open(self) -> AttributeCandidates:
        """Read the scenes.

        Raises:
            LepbenchError: the suite has none, or is one of variants.
        """
        return AttributeCandidates(self, load_originals(self.name, self.path, self.needs))


class AttributeCandidates(Candidates):
    """The items of a suite in an order in which their scenes alternate."""

    protocol = "lepbench-attributes-v1"

    def __init__(self, source: AttributesSource, suite: Suite) -> None:
        about = suite.definition
        self.source, self.suite, self.count = source, suite, len(suite)
        self.corpus = f"{source.name} of {suite.name}"
        self.settings = {"suite_sha256": suite.sha256}
        self.description = (
            f"Items of {suite.name} with one thing and with two in turn, relations and textures as frequent "
            "as each other where it has so many."
        )
        self.licence, self.size = about.licence, about.size
        self.edges = "edges" in about.truths
        self.detector = select_detector(about.detector)
        if about.contour_detector is not None:
            self.contour_detector = select_detector(about.contour_detector)

    def queues(self) -> Iterator[Iterable[Candidate]]:
        ids = self.suite.item_ids
        order = sorted(range(self.count), key=lambda position: derive_seed(self.source.seed, ids[position]))
        known = ((position, read_scene(self.suite[position].scene)) for position in order)
        scenes = [(position, scene) for position, scene in known if scene is not None]
        yield (
            Candidate(partial(ids.__getitem__, position), partial(self._make, position))
            for position in alternate(scenes)
        )

    def _make(self, position: int) -> SuiteItem:
        return SuiteItem(self.suite.read_row(position))


def alternate(
    scenes: Sequence[tuple[int, KnownScene]], keys: Sequence[Callable[[KnownScene], str]] = KEYS
) -> Iterator[int]:
    """The numbers of scenes so that the values of the first key take turns, within each those of the next.

    Scenes of the same values keep their order.
    """
    if not keys:
        yield from (number for number, _ in scenes)
        return
    groups: defaultdict[str, list[tuple[int, KnownScene]]] = defaultdict(list)
    for number, scene in scenes:
        groups[keys[0](scene)].append((number, scene))
    yield from take_turns(alternate(groups[value], keys[1:]) for value in sorted(groups))
