"""The terms of protocol.yaml as a protocol with a name."""

from __future__ import annotations

from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import PROTOCOLS, make_shipped_protocol
from lepbench.suites import Suite
from lepbench_plugin_example.detector import Morphological

NAME = "ink-v1"


@PROTOCOLS.register(NAME)
def make_ink_protocol(suite: Suite) -> Protocol:
    """Edges by two detectors and ink; the rest as the suite's own protocol has it."""
    own = make_shipped_protocol(suite)
    terms = {
        "name": NAME,
        "measures": ("edges", "contours", "ink"),
        "contour_detector": Morphological(),
    }
    return own.model_copy(update=terms)
