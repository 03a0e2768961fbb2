"""The backbone that was loaded last, kept for the next run of a set."""

from __future__ import annotations

from lepbench.backbones import Backbone, load_backbone
from lepbench.backbones.load import Precision
from lepbench.last_loaded import LastLoaded


class LastBackbone(LastLoaded[[str, str, Precision], Backbone]):
    """Loads as `load_backbone` does, from its name, device and precision."""

    def __init__(self) -> None:
        super().__init__(lambda name, device, precision: load_backbone(name, device, precision))
