"""The judges that were loaded last, kept for the next run by the same protocol."""

from __future__ import annotations

from lepbench.evaluation.judges import load_judges
from lepbench.evaluation.protocol import Protocol
from lepbench.judges import Judges


class LastJudges:
    """Loads as `load_judges` does, unless the last call asked for the same; one protocol's are held."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._asked: Protocol | None = None
        self._judges: Judges | None = None

    def __call__(self, protocol: Protocol) -> Judges:
        if self._judges is None or self._asked != protocol:
            # Let go first: two sets of large judges may not fit into memory.
            self._judges = None
            self._judges, self._asked = load_judges(protocol, self._device), protocol
        return self._judges
