"""Where a control module lies; and what has its name and is none, with what to give instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lepbench.backbones.folder import holds_low_rank
from lepbench.backbones.identify import read_index
from lepbench.backbones.load import read_mapping
from lepbench.backbones.resolve import (
    INDEX,
    find_embedded_folder,
    find_model_folder,
    is_weights_file,
)
from lepbench.embedded import is_embedded
from lepbench.errors import LepbenchError
from lepbench.faults import quote_value
from lepbench.files import list_visible
from lepbench.hub import HUB_ID
from lepbench.methods.control_kinds import CONTROLS
from lepbench.methods.known_controls import load_known_controls
from lepbench.registry import limit_list, suggest_name

CONFIG = "config.json"
GIVE = "give the folder or hub id of a control module that diffusers saved, or 'controlnet-mini@1'"
ONE_FILE = (
    "save it as a folder: diffusers.ControlNetModel.from_single_file({name!r}).save_pretrained('FOLDER')"
)


def require_name(control: object) -> None:
    """Check that `control` may be the name of a control module; whether a folder lies there is not looked at.

    Raises:
        LepbenchError: it is no text, empty, or an embedded name of something else or of nothing.
    """
    if not isinstance(control, str):
        raise LepbenchError(f"'control' must be a text, not {quote_value(control)}", GIVE)
    if not control.strip():
        raise LepbenchError("'control' is empty", GIVE)
    shipped = [name for name in load_known_controls() if is_embedded(name)]
    if not is_embedded(control) or control in shipped:
        return
    try:
        folder = find_embedded_folder(control)
    except LepbenchError:
        fix = suggest_name(control, shipped)
        raise LepbenchError(f"no embedded control module is called {control!r}", fix) from None
    locate_part(control, folder)


def require_module(name: str) -> None:
    """Check that what lies under a name here is a control module; one of the hub is not looked at.

    Raises:
        LepbenchError: it is something else; the message says what, and what to give.
    """
    path = Path(name).expanduser()
    if path.is_file() or is_weights_file(name):
        _refuse_file(path)
    if path.is_dir():
        locate_part(name, path)
    elif not is_embedded(name) and not HUB_ID.fullmatch(name):
        raise LepbenchError(f"no folder {name!r}", GIVE)


def find_part(name: str) -> str:
    """The folder of the module in what has this name: itself, or one in that of a whole control pipeline.

    Raises:
        LepbenchError: nothing has this name, or what has it is no control module.
    """
    require_module(name)
    return locate_part(name, find_model_folder(name, [CONFIG, INDEX]))


def locate_part(name: str, folder: Path) -> str:
    """`find_part`, in the folder of what has this name.

    Raises:
        LepbenchError: it is no control module.
    """
    if (folder / CONFIG).is_file():
        _require_class(name, read_mapping(folder / CONFIG))
        return "."
    if not (folder / INDEX).is_file():
        raise _explain_folder(name, folder)
    pipeline = read_index(folder).get("_class_name")
    slots = {CONTROLS.get(known).pipeline: CONTROLS.get(known).slot for known in CONTROLS}
    if pipeline in slots:
        return slots[pipeline]
    inner = folder / "controlnet"
    if (inner / CONFIG).is_file():
        raise LepbenchError(f"{name} is a whole {pipeline}", f"give its control module: {inner}")
    raise LepbenchError(
        f"{name} is a {pipeline}, which has no control module",
        "give it as the backbone, and a control module here",
    )


def _require_class(name: str, config: dict[str, Any]) -> None:
    """Refuse the config of a network that is no control module."""
    known = sorted({pair.split("/")[0] for pair in CONTROLS})
    found = config.get("_class_name") or next(iter(config.get("architectures") or ()), None)
    if found in known:
        return
    if "taps" in config:
        raise LepbenchError(
            f"{name} is a latent edge predictor, and no control module",
            "write 'method: {name: lep, predictor: ...}' with it",
        )
    what = f"is of class {found}" if found else f"has a {CONFIG} that names no class of diffusers"
    raise LepbenchError(
        f"{name} {what}, and no control module", f"give one of class {limit_list(known, last='or')}"
    )


def _refuse_file(path: Path) -> None:
    if not path.is_file():
        raise LepbenchError(f"no file {str(path)!r}", GIVE)
    fix = (
        f"did you mean {path.parent}?"
        if (path.parent / CONFIG).is_file()
        else ONE_FILE.format(name=str(path))
    )
    raise LepbenchError(f"{path} is a file, and a control module is a folder", fix)


def _explain_folder(name: str, folder: Path) -> LepbenchError:
    """A folder without a config, here or of the hub."""
    names = [path.name for path in list_visible(folder)]
    if not names:
        return LepbenchError(f"the folder {name} is empty", GIVE)
    if holds_low_rank(names):
        return LepbenchError(f"{name} is a LoRA, and no control module", GIVE)
    inner = next((path.parent for path in sorted(folder.glob(f"*/{CONFIG}"))), None)
    fix = GIVE if inner is None else f"did you mean {inner}?"
    return LepbenchError(f"{name} has no {CONFIG}: the folder holds {limit_list(sorted(names), 80)}", fix)
