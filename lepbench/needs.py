"""What a run needs from elsewhere, whether it is here, and how it comes here; nothing is loaded to say so."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, NamedTuple

from lepbench.errors import LepbenchError
from lepbench.fetch import find_file, locate_file, measure_size
from lepbench.files import sha256_file
from lepbench.progress import Progress


class NeededFile(NamedTuple):
    """A file, as who publishes it states it.

    Attributes:
        size: in bytes; None where it is not stated.
        sha256: None where it is not stated.
        here: whether it is here.
    """

    name: str
    size: int | None
    sha256: str | None
    here: bool


class FetchedFile(NamedTuple):
    """A file that is here, by its name where it came from, with its size in bytes."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Need(ABC):
    """One thing that a run needs.

    Attributes:
        what: what it is for, such as `backbone`.
        fetchable: whether `fetch` brings it.
    """

    fetchable: ClassVar[bool] = False
    what: str

    @abstractmethod
    def describe(self) -> str:
        """What it is called, in one line."""

    @abstractmethod
    def is_here(self) -> bool:
        """Whether a run would find it without a connection."""

    @property
    def fix(self) -> str:
        """What brings it, where `fetch` does not."""
        return "correct it"


@dataclass(frozen=True)
class Fetchable(Need):
    """A need that is downloaded."""

    fetchable: ClassVar[bool] = True

    @property
    def revision(self) -> str | None:
        """The commit of its files that are here; None for what has none."""
        return None

    @property
    @abstractmethod
    def source(self) -> str:
        """Where it is published: `owner/name` on the hub, or a URL."""

    @abstractmethod
    def list_files(self) -> list[NeededFile]:
        """Its files as they are published.

        Raises:
            LepbenchError: they cannot be asked for.
        """

    @abstractmethod
    def fetch(self, progress: Progress) -> list[FetchedFile]:
        """Its files, those downloaded that are not here.

        Raises:
            LepbenchError: one cannot be fetched, or is not the one that is stated.
        """


@dataclass(frozen=True)
class Package(Need):
    """A package of Python.

    Attributes:
        module: what is imported of it.
        install: the command that installs it.
    """

    module: str
    install: str

    def describe(self) -> str:
        return f"package {self.module}"

    def is_here(self) -> bool:
        try:
            return find_spec(self.module) is not None
        except (ImportError, ValueError):
            return False

    @property
    def fix(self) -> str:
        return f"run '{self.install}'"


@dataclass(frozen=True)
class BrokenNeed(Need):
    """What cannot be used as it is named, and no download mends.

    Attributes:
        said: what is wrong with it, and behind a semicolon what to do, as a `LepbenchError` says it.
    """

    said: str

    def describe(self) -> str:
        return self.said.partition("; ")[0]

    def is_here(self) -> bool:
        return False

    @property
    def fix(self) -> str:
        return self.said.partition("; ")[2] or "correct it"


@dataclass(frozen=True)
class UrlFile(Fetchable):
    """A file of a URL, pinned by its hash."""

    url: str
    sha256: str | None

    @property
    def source(self) -> str:
        return self.url

    def describe(self) -> str:
        return self.url

    def is_here(self) -> bool:
        return self.sha256 is not None and locate_file(self.url, self.sha256).is_file()

    def list_files(self) -> list[NeededFile]:
        name = self.url.rsplit("/", 1)[1]
        return [NeededFile(name, measure_size(self.url), self.sha256, self.is_here())]

    def fetch(self, progress: Progress) -> list[FetchedFile]:
        path = find_file(self.url, self.sha256, progress)
        return [FetchedFile(path.name, path.stat().st_size, sha256_file(path))]


def need_file(what: str, path: Path) -> list[Need]:
    """Nothing where a file is here; else that it is missing."""
    said = f"missing file {path}; check the path"
    return [] if path.expanduser().is_file() else [BrokenNeed(what, said)]


def list_absent(needs: Iterable[Need]) -> list[Need]:
    """Those that are not here, each once."""
    return [need for need in dict.fromkeys(needs) if not need.is_here()]


def refuse_unusable(needs: Iterable[Need]) -> None:
    """Refuse what no download mends.

    Raises:
        LepbenchError: something is missing that is not fetched; all of it is named.
    """
    others = [need for need in list_absent(needs) if not need.fetchable]
    if others:
        said = "; ".join(f"{need.what}: {need.describe()}" for need in others)
        raise LepbenchError(said, "; ".join(dict.fromkeys(need.fix for need in others)))
