"""One figure that an embedded model must reach."""

from __future__ import annotations

from lepbench.config import Config


class Gate(Config):
    """One measured figure, and the least it must be; `threshold` null marks one that is reported only."""

    name: str
    value: float
    threshold: float | None = None

    @property
    def met(self) -> bool:
        return self.threshold is None or self.value >= self.threshold
