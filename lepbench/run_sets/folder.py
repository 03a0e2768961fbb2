"""The folder of a set, and the file that says whose it is."""

from __future__ import annotations

from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.files import list_visible, read_json, write_text
from lepbench.run_sets.config import RunSet

SET = "set.json"
"""The set as it was called last, with every default."""


def check_set_folder(config: RunSet) -> None:
    """Refuse a folder of something else than this set, whose tables would be overwritten.

    Raises:
        LepbenchError: it holds other files, or a set of another name.
    """
    folder = config.folder
    path = folder / SET
    if _is_file(path):
        owner = read_json(path, "restore it, or choose another 'out'")
        if not isinstance(owner, dict) or owner.get("name") != config.name:
            raise LepbenchError(f"{folder} holds another set than {config.name!r}", "choose another 'out'")
    elif folder.is_dir() and (strangers := list_visible(folder)):
        raise LepbenchError(
            f"{folder} holds other files, such as {strangers[0].name!r}", "choose another 'out'"
        )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError) as error:  # too long, or with a character that no path has
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise LepbenchError(
            f"{str(path.parent)[:80]!r} can be no folder: {reason}", "choose another 'out'"
        ) from error


def claim_set_folder(config: RunSet) -> None:
    """Write the set into its folder.

    Raises:
        LepbenchError: it cannot be written.
    """
    write_text(config.folder / SET, config.model_dump_json(indent=1) + "\n")
