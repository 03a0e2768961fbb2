"""An engine from what a person asks for."""

from __future__ import annotations

from lepbench.engines.base import ENGINES, Engine
from lepbench.errors import LepbenchError


def choose_engine(name: str | None, workers: int | None, timeout: float | None = None) -> Engine:
    """Who does the work.

    Args:
        timeout: seconds that a piece of it may take.

    Raises:
        LepbenchError: no such engine, or one that has no workers.
    """
    several = workers is not None and workers > 1
    if name == "here" and several:
        raise LepbenchError("engine 'here' has no workers", "leave out workers, or take engine processes")
    if name == "here" and timeout is not None:
        raise LepbenchError(
            "engine 'here' cannot stop a batch that takes too long",
            "leave out timeout, or take engine processes",
        )
    apart = several or timeout is not None
    return ENGINES.get(name or ("processes" if apart else "here"))(workers, timeout)
