"""What a control module needs from elsewhere; nothing is fetched to say so."""

from __future__ import annotations

from dataclasses import replace

from lepbench.backbones.load import read_mapping
from lepbench.backbones.needs import list_folder_needs, list_weight_choices
from lepbench.backbones.resolve import INDEX, is_local
from lepbench.errors import LepbenchError
from lepbench.hub import find_snapshot
from lepbench.hub_files import HubFiles
from lepbench.methods.control_place import CONFIG, locate_part
from lepbench.needs import BrokenNeed, Need

CONTROL = "control module"


def list_control_needs(name: str) -> list[Need]:
    """What a control module needs, of one on the hub as far as its configs are here."""
    if is_local(name):
        return list_folder_needs(CONTROL, name)
    try:
        return [_list_files(name)]
    except LepbenchError as error:
        return [BrokenNeed(CONTROL, str(error))]


def _list_files(name: str) -> HubFiles:
    """The files of a control module on the hub that `load_control` reads.

    Raises:
        LepbenchError: what is here of it is no control module.
    """
    place = HubFiles(CONTROL, name, choices=(((CONFIG,), (INDEX,)),), leads=True)
    folder = find_snapshot(name)
    if folder is None or not place.is_here():
        return place
    part = locate_part(name, folder)
    config = f"{part}/{CONFIG}".removeprefix("./")
    if not (folder / config).is_file():
        return replace(place, wanted=(config,))
    kind = f"diffusers.{read_mapping(folder / config).get('_class_name')}"
    choices = (tuple(glob.removeprefix("./") for glob in g) for g in list_weight_choices(part, kind))
    # A whole pipeline's index says in which folder the module lies.
    above = (INDEX,) if part != "." else ()
    return HubFiles(CONTROL, name, (*above, config), choices=(tuple(choices),))
