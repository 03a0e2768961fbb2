"""What a predictor needs from elsewhere; nothing is fetched to say so."""

from __future__ import annotations

from pathlib import Path

from lepbench.backbones.needs import list_folder_needs
from lepbench.backbones.resolve import is_local
from lepbench.hub_files import HubFiles
from lepbench.needs import BrokenNeed, Need
from lepbench.predictors.config import CARD_FILE, CONFIG_FILE, CURVE_FILE, METRICS_FILE, WEIGHTS_FILE

PREDICTOR = "predictor"


def list_predictor_needs(name: str) -> list[Need]:
    """What a predictor by name needs: nothing where it is embedded or its folder is here."""
    if is_local(name):
        return list_folder_needs(PREDICTOR, name)
    if Path(name).parent.is_dir():
        # `runs/mine` has the form of a hub id, and the folder beside which it would lie is here.
        return [BrokenNeed(PREDICTOR, f"no folder {name}; train it: 'lepbench train-lep ... --out {name}'")]
    companions = (CARD_FILE, METRICS_FILE, CURVE_FILE)
    return [HubFiles(PREDICTOR, name, (CONFIG_FILE, WEIGHTS_FILE), optional=companions)]
