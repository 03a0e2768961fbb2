"""The known weights of a detector as something that a run needs from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from lepbench.detectors.prefetch import prefetch
from lepbench.detectors.weights import find_prefetched, find_url, place_of, read_lock
from lepbench.errors import LepbenchError
from lepbench.fetch import measure_size
from lepbench.needs import Fetchable, FetchedFile, NeededFile
from lepbench.progress import Progress

ANNOTATORS = "pip install 'lepbench[annotators]'"


@dataclass(frozen=True)
class DetectorWeights(Fetchable):
    """Known weights by name, in the cache with a lock that pins their bytes.

    Attributes:
        sha256: that they must have; None for that of the lock.
        trust: whether to accept the file that comes, where no hash is known.
    """

    name: str
    sha256: str | None = None
    trust: bool = False

    @property
    def source(self) -> str:
        return find_url(self.name)

    def describe(self) -> str:
        return f"the weights of {self.name!r}"

    def is_here(self) -> bool:
        try:
            return self.sha256 in (None, find_prefetched(self.name).sha256)
        except LepbenchError:
            return False

    def list_files(self) -> list[NeededFile]:
        lock, here = read_lock(place_of(self.name)), self.is_here()
        known = self.sha256 or (lock.sha256 if lock else None)
        size = lock.size if lock and here else measure_size(self.source)
        return [NeededFile(place_of(self.name).name, size, known, here)]

    def fetch(self, progress: Progress) -> list[FetchedFile]:
        found = prefetch(self.name, sha256=self.sha256, trust=self.trust, progress=progress)
        return [FetchedFile(found.path.name, found.path.stat().st_size, found.sha256)]
