"""The backbone that was loaded last, kept for the next run of a set."""

from __future__ import annotations

from lepbench.backbones import Backbone, load_backbone
from lepbench.backbones.load import Precision


class LastBackbone:
    """Loads as `load_backbone` does, unless the last call asked for the same; one is held at a time."""

    def __init__(self) -> None:
        self._asked: tuple[str, str, Precision] | None = None
        self._backbone: Backbone | None = None

    def __call__(self, name: str, device: str, precision: Precision) -> Backbone:
        asked = (name, device, precision)
        if self._backbone is None or self._asked != asked:
            # Let go first: two large models may not fit into memory.
            self._backbone = None
            self._backbone, self._asked = load_backbone(*asked), asked
        return self._backbone
