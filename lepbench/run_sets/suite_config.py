"""The suites of a set: names and folders, and suites that the set makes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from lepbench.config import Config, parse_config
from lepbench.errors import LepbenchError
from lepbench.suite_sources import SuiteSource
from lepbench.suite_sources.request import find_source, make_suite_source


class SuiteEntry(Config):
    """A suite that is made as `lepbench suite make` makes it, under a name that is also its folder's."""

    make: str
    """CORPUS of the command, such as `completion`."""
    of: Path | None = None
    """PATH of the command: a corpus's file or folder, or a suite's name or folder."""
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    items: int | None = Field(default=None, ge=1)
    """At most; of variants, their originals."""
    size: int | None = Field(default=None, ge=1)
    """Side of pictures and sketches, px."""
    seed: int | None = None
    """Of the order, or of what is chosen at random."""
    secret: Path | None = None
    """Of `make: sketchworld`: the file that chooses the scenes."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Settings of the corpus."""

    def find_source(self) -> SuiteSource:
        """What the suite is made of.

        Raises:
            LepbenchError: there is no such corpus, or a setting does not fit.
        """
        try:
            if self.of is None and find_source(self.make).needs_path(self.make):
                raise LepbenchError(f"{self.make} needs 'of'", "name what it is made of")
            options = {"items": self.items, "size": self.size, "seed": self.seed, "secret": self.secret}
            given = {key: value for key, value in options.items() if value is not None}
            return make_suite_source(self.make, self.of, given, self.set)
        except LepbenchError as error:
            raise LepbenchError(f"suite {self.name!r}: {error}") from error


def read_suite(given: Any) -> Any:
    """An entry of `suites`: a name, a folder, or a mapping of the keys of a suite that is made.

    Raises:
        LepbenchError: a key is not known, or does not fit.
    """
    if isinstance(given, Path):
        return str(given)
    if not isinstance(given, Mapping):
        return given
    return parse_config(dict(given), SuiteEntry, f"suite {given.get('name', '')}".strip())


AnySuite = Annotated[str | SuiteEntry, BeforeValidator(read_suite)]
