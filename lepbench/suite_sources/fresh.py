"""Fresh suites of sketchworld: scenes that a secret chooses, so that nobody can have tuned to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Literal

from pydantic import field_validator

from lepbench.errors import LepbenchError
from lepbench.sketches import Unusable
from lepbench.suite_sources.base import SUITE_SOURCES, Candidate, Candidates, SuiteItem, SuiteSource
from lepbench.suite_sources.secret import commit_secret, draw_index, read_secret
from lepbench.suite_sources.sketchworld import RECIPES, WEAK_SILHOUETTE, draw_scene
from lepbench.suites import load_suite
from lepbench.suites.freeze import ItemRow


class WeakSketch(StrEnum):
    """Why a scene is left out, as in the suites that ship."""

    SILHOUETTE = WEAK_SILHOUETTE


@SUITE_SOURCES.register("sketchworld")
class FreshSource(SuiteSource):
    """Scenes of sketchworld's test split at indices that a secret chooses, made as a suite that ships.

    Whoever gets the secret makes the same suite again; before that the suite holds its SHA-256 alone.

    Settings: `recipe`, the name of that suite; `secret`, a file of 16 to 64 bytes, made of random ones where
    there is none; `seed`, another draw of one secret.
    """

    name: Literal["sketchworld"] = "sketchworld"
    secret: Path
    recipe: str = "sketchworld-edges-v1"

    @field_validator("recipe")
    @classmethod
    def _is_known(cls, recipe: str) -> str:
        try:
            RECIPES.get(recipe)
        except LepbenchError as error:
            raise ValueError(f"must be the name of a suite: {error}") from error
        return recipe

    @property
    def least(self) -> int:
        return self.most

    def check_place(self, folder: Path) -> None:
        if self.secret.resolve().is_relative_to(folder.resolve()):
            raise LepbenchError(
                f"the secret {self.secret} would lie in the suite's folder {folder}", "keep it elsewhere"
            )

    def open(self) -> FreshCandidates:
        """Read the secret, or make it.

        Raises:
            LepbenchError: it cannot be read or made.
        """
        return FreshCandidates(self, read_secret(self.secret))


class FreshCandidates(Candidates):
    """As many scenes as could be needed, in the order of their number; those of a level are a class."""

    corpus = "sketchworld test"

    def __init__(self, source: FreshSource, secret: bytes) -> None:
        self._secret, self.source, self.recipe = secret, source, RECIPES.get(source.recipe)
        recipe, like = self.recipe, load_suite(source.recipe).definition
        # Few are left out: about one in twenty edge maps, and no free-hand sketch.
        self.count = 2 * source.most
        self.settings = {"recipe": recipe.name, "secret_sha256": commit_secret(secret)}
        self.description = (
            f"A fresh draw of scenes as {recipe.name} has them, at indices that a secret chose. Any number "
            "from the front is a fair draw."
        )
        self.licence, self.size, self.protocol = like.licence, recipe.size, like.protocol
        self.detector, self.contour_detector = recipe.detector, recipe.contour_detector
        self.edges = not recipe.levels

    def queues(self) -> Iterator[Iterable[Candidate]]:
        levels = self.recipe.levels or (None,)
        for place, level in enumerate(levels):
            numbers = islice(count(place, len(levels)), self.count // len(levels) + 1)
            yield map(partial(self._candidate, level), numbers)

    def _candidate(self, level: int | None, number: int) -> Candidate:
        return Candidate(partial(self._name, number), partial(self._make, number, level))

    def _find_index(self, number: int) -> int:
        return draw_index(self._secret, self.recipe.name, self.source.seed, number)

    def _name(self, number: int) -> str:
        from lepbench.sketchworld import scene

        return scene("test", self._find_index(number)).id

    def _make(self, number: int, level: int | None) -> SuiteItem:
        from lepbench.sketchworld import scene

        row: ItemRow | None = draw_scene(self.recipe, scene("test", self._find_index(number)), level)
        if row is None:
            raise Unusable(WeakSketch.SILHOUETTE)
        return SuiteItem(row)
