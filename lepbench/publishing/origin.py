"""What a board says of where pictures are from, and whose word that is."""

from __future__ import annotations

import re

from lepbench.embedded import is_embedded
from lepbench.errors import LepbenchError
from lepbench.evaluation.record import Record
from lepbench.evaluation.verification_levels import REDRAWN
from lepbench.hub import HUB_ID
from lepbench.publishing.board_texts import CODE, ELSEWHERE, FIGURES, FOLDER, LOCAL, UNCHECKED


def name_backbone(record: Record) -> str:
    """What a board calls a run's backbone: its embedded name or hub id, a folder by its last part.

    Empty where there is none.

    Raises:
        LepbenchError: it looks like a name and is none.
    """
    backbone = record.identity.model.backbone
    if backbone is None or is_embedded(backbone) or HUB_ID.fullmatch(backbone):
        return backbone or ""
    last = re.split(r"[/\\]", backbone.rstrip("/\\"))[-1]
    if not FOLDER.fullmatch(last):
        raise LepbenchError(
            f"backbone {backbone[:80]!r} is no embedded name, hub id or folder of a plain name",
            "rename the folder, and evaluate again",
        )
    return f"{LOCAL}{last}"


def describe_origin(record: Record) -> str:
    """Label of the images' backbone, as the run calls it, and of external code."""
    return "; ".join(_list_origin(record, record.identity.model.backbone or ""))


def describe_checked_origin(record: Record, level: str) -> str:
    """The label on a board, where a backbone is called as `name_backbone` says.

    Args:
        level: how far the run was verified; below `redrawn` the files of backbones that do not ship were not
            looked at.
    """
    backbone = name_backbone(record)
    checked = not backbone or is_embedded(backbone) or level == REDRAWN
    return "; ".join([*_list_origin(record, backbone), *([] if checked else [UNCHECKED])])


def _list_origin(record: Record, backbone: str) -> list[str]:
    code = record.submitted_code
    origin = f"{FIGURES}{backbone}" if backbone else ELSEWHERE
    return [origin, *([f"{CODE}{', '.join(code)}"] if code else [])]
