"""The judges that were loaded last, kept for the next run by the same protocol."""

from __future__ import annotations

from lepbench.evaluation.judges import load_judges
from lepbench.evaluation.protocol import Protocol
from lepbench.judges import Judges
from lepbench.last_loaded import LastLoaded


class LastJudges(LastLoaded[[Protocol], Judges]):
    """Loads as `load_judges` does, on one device."""

    def __init__(self, device: str) -> None:
        super().__init__(lambda protocol: load_judges(protocol, device))
