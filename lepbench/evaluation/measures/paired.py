"""Edge metrics with pixels matched one to one, which penalise doubled lines."""

from __future__ import annotations

from lepbench.evaluation.measures.base import MEASURES
from lepbench.evaluation.measures.edges import AgainstSketch
from lepbench.evaluation.protocol import Protocol
from lepbench.metrics.one_to_one import one_to_one_counts


@MEASURES.register("paired")
class Paired(AgainstSketch):
    """F1 by one-to-one assignment."""

    truths = ("edges",)
    prefix = "paired"
    kinds = ("f1",)
    match = staticmethod(one_to_one_counts)

    def list_tolerances(self, protocol: Protocol) -> dict[str, float]:
        given = protocol.paired_tolerances
        return super().list_tolerances(protocol) if given is None else {f"{t}px": float(t) for t in given}
