"""The share of a run that a folder holds, and what drawing it took once it is done."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from lepbench.config import Config, parse_config
from lepbench.errors import LepbenchError
from lepbench.evaluation.finish import Effort
from lepbench.files import is_file, read_json, write_text
from lepbench.shares import Share

SHARE = "share.json"


class ShareState(Config):
    """Content of `share.json`; `effort` is null until every batch of the share is done."""

    number: int = Field(ge=1)
    of: int = Field(ge=1)
    effort: Effort | None = None

    @property
    def share(self) -> Share:
        """Which it is."""
        return Share(self.number, self.of)


def read_share(out: Path) -> ShareState | None:
    """The share that a folder holds; None where it holds none.

    Raises:
        LepbenchError: the file is damaged.
    """
    path = out / SHARE
    if not is_file(path):
        return None
    return parse_config(read_json(path, "draw the share again"), ShareState, str(path))


def claim_share(out: Path, share: Share | None) -> ShareState | None:
    """Note the share that is drawn into a folder; the state of one that was begun there.

    Raises:
        LepbenchError: the folder holds another share, or a share where a whole run is asked for.
    """
    found = read_share(out)
    if found is not None and found.share != share:
        raise LepbenchError(f"{out} holds shard {found.share} of a run", "choose another --out")
    if share is not None and found is None:
        found = ShareState(number=share.number, of=share.of)
        write_share(out, found)
    return found


def write_share(out: Path, state: ShareState) -> None:
    """Write `share.json` atomically."""
    write_text(out / SHARE, state.model_dump_json(indent=1) + "\n")
