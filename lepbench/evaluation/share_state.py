"""The share of a run that a folder holds, and what drawing it took once it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, NonNegativeInt

from lepbench.config import Config, Label, parse_config
from lepbench.errors import LepbenchError
from lepbench.evaluation.finish import Effort
from lepbench.evaluation.protocol import Protocol, read_recorded
from lepbench.files import is_file, read_json, write_text
from lepbench.shares import Share

SHARE = "share.json"


class DoneShare(Config):
    """A share every batch of which was drawn."""

    protocol: Annotated[Protocol, BeforeValidator(read_recorded)]
    batches: dict[Label, NonNegativeInt]
    """How many each condition has in all shares, in the order of the tables."""
    effort: Effort


class ShareState(Config):
    """Content of `share.json`; `done` is null while batches are missing."""

    number: int = Field(ge=1)
    of: int = Field(ge=1)
    done: DoneShare | None = None

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
    return parse_config(read_json(path, "draw the shard again"), ShareState, str(path))


def claim_share(out: Path, share: Share | None) -> None:
    """Note the share that is drawn into a folder.

    Raises:
        LepbenchError: the folder holds another share, or a share where a whole run is asked for.
    """
    found = read_share(out)
    if found is not None and found.share != share:
        raise LepbenchError(f"{out} holds shard {found.share} of a run", "choose another --out")
    if share is not None:
        write_share(out, ShareState(number=share.number, of=share.of))


def write_share(out: Path, state: ShareState) -> None:
    """Write `share.json` atomically."""
    write_text(out / SHARE, state.model_dump_json(indent=1) + "\n")
