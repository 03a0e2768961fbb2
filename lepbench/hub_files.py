"""Files of a model on the hub: those that a loader reads, chosen by globs of the files that there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.files import read_json
from lepbench.hub import RemoteModel, ask_hub, fetch_snapshot, find_snapshot
from lepbench.needs import Fetchable, FetchedFile, NeededFile
from lepbench.progress import Progress
from lepbench.verified import hash_large_file

Choice = tuple[tuple[str, ...], ...]
"""Groups of globs, of which the first is read whose globs all match."""


@dataclass(frozen=True)
class HubFiles(Fetchable):
    """Files of a model on the hub.

    Attributes:
        model: `owner/name`.
        wanted: globs of which each must match; all of these files are read.
        pinned: the commit, branch or tag; None for the newest.
        optional: globs that need not match.
        choices: groups of globs, one group read of each.
        leads: whether they say what else is needed: then more is listed once they are here.
    """

    model: str
    wanted: tuple[str, ...] = ()
    pinned: str | None = None
    optional: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    leads: bool = False

    @property
    def source(self) -> str:
        return self.model

    @property
    def revision(self) -> str | None:
        folder = find_snapshot(self.model, self.pinned)
        return None if folder is None else folder.name

    def describe(self) -> str:
        return f"{self.model}{f'@{self.pinned}' if self.pinned else ''}"

    def is_here(self) -> bool:
        folder = find_snapshot(self.model, self.pinned)
        if folder is None:
            return False
        try:
            chosen = self.choose_files(list_names(folder))
        except LepbenchError:
            return False
        return all((folder / shard).is_file() for name in chosen for shard in list_shards(folder, name))

    def choose_files(self, names: Iterable[str]) -> list[str]:
        """Those of a model's files that are read.

        Raises:
            LepbenchError: a file is missing, or weights are in no form that is read.
        """
        names = sorted(names)
        for glob in self.wanted:
            if not match_names(names, (glob,)):
                raise LepbenchError(f"{self.model} has no {glob}", "give another model")
        chosen = set(match_names(names, (*self.wanted, *self.optional)))
        for groups in self.choices:
            group = next((g for g in groups if all(match_names(names, (glob,)) for glob in g)), None)
            if group is None:
                raise LepbenchError(f"{self.model} has no {groups[0][0]}", "give one that has")
            chosen |= set(match_names(names, group))
        return sorted(chosen)

    def list_files(self) -> list[NeededFile]:
        remote, folder = ask_hub(self.model, self.pinned), find_snapshot(self.model, self.pinned)
        # A newer commit has a folder of its own.
        here = folder if folder is not None and folder.name == remote.commit else None
        return [
            NeededFile(name, *remote.files[name], here is not None and (here / name).is_file())
            for name in self.choose_files(remote.files)
        ]

    def fetch(self, progress: Progress) -> list[FetchedFile]:
        remote = ask_hub(self.model, self.pinned)
        names = self.choose_files(remote.files)
        progress(self.model, 0, len(names))
        try:
            folder = fetch_snapshot(self.model, names, self.pinned)
        except ConnectionError as error:
            raise LepbenchError(f"{self.model} could not be fetched ({error})", "run it again") from error
        progress(self.model, len(names), len(names))
        return [self._check(folder, name, remote) for name in names]

    def _check(self, folder: Path, name: str, remote: RemoteModel) -> FetchedFile:
        """A fetched file, held against what the hub states of it."""
        path = folder / name
        if folder.name != remote.commit or not path.is_file():
            raise LepbenchError(f"{self.model} changed while it was fetched", "run the same command again")
        size, sha256 = path.stat().st_size, hash_large_file(path)
        stated_size, stated = remote.files[name]
        if stated_size not in (None, size) or stated not in (None, sha256):
            raise LepbenchError(
                f"{path} is not the file that the hub states: {size} bytes, sha256 {sha256}",
                "delete it, and run the same command again",
            )
        return FetchedFile(name, size, sha256)


def match_names(names: Iterable[str], globs: tuple[str, ...]) -> list[str]:
    """The names that match one of the globs, in which `*` stands for slashes, too, as on the hub."""
    return [name for name in names if any(fnmatchcase(name, glob) for glob in globs)]


def list_names(folder: Path) -> list[str]:
    """The files of a snapshot, relative to it."""
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def list_shards(folder: Path, name: str) -> list[str]:
    """The files of weights that a file names, where it is the index of such, relative to the snapshot."""
    if ".safetensors.index" not in name:
        return []
    content = read_json(folder / name, "fetch it again")
    shards = content.get("weight_map") if isinstance(content, dict) else None
    place = Path(name).parent
    return sorted({(place / str(shard)).as_posix() for shard in shards.values()}) if shards else []
