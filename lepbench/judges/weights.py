"""Files of published judges: a folder or a hub id at a revision, or one file of weights; pinned by hash."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lepbench.config import Hash
from lepbench.errors import LepbenchError
from lepbench.fetch import PREFETCH, check_sha256, is_offline
from lepbench.files import list_visible, sha256_bytes, sha256_file
from lepbench.hub import HUB_ID, fetch_snapshot
from lepbench.hub_files import HubFiles
from lepbench.judges.base import JudgeConfig
from lepbench.needs import BrokenNeed, Need
from lepbench.verified import hash_large_file

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
SETTINGS = ("*.json", "*.txt", "*.model")
"""Files beside the weights that decide what a model reads."""


class ModelJudgeConfig(JudgeConfig):
    """A judge whose network is a model of transformers."""

    model: str
    """A folder, or a hub id, which needs a `revision`."""
    revision: str | None = None
    """The commit of a hub id."""
    sha256: Hash | None = None
    """Of the weights; those of a hub id, which may hold no safetensors, are only then read."""
    content: Hash | None = None
    """Of all files of a folder; filled in when a protocol is read, unless given."""

    def pin(self) -> JudgeConfig:
        folder = Path(self.model)
        if not folder.is_dir() or self.sha256 is not None or self.content is not None:
            return self
        return self.model_copy(update={"content": hash_listing(list_model_files(folder))})

    def identify(self) -> dict[str, Any]:
        known = self.sha256 or self.content
        return self.model_dump(mode="json", exclude={"model", "revision"} if known else None)

    def list_needs(self) -> list[Need]:
        what = f"judge {self.label!r}"
        if Path(self.model).expanduser().is_dir():
            return []
        try:
            require_hub_id(self.model, self.revision)
        except LepbenchError as error:
            return [BrokenNeed(what, str(error))]
        choice = tuple((name,) for name in WEIGHTS)
        wanted = ("config.json",)
        return [HubFiles(what, self.model, wanted, self.revision, optional=SETTINGS, choices=(choice,))]

    def check(self) -> None:
        self.find()

    def find(self) -> Path:
        """The folder of the model, its weights safetensors or those that are pinned.

        Raises:
            LepbenchError: it is not here and cannot be fetched, or holds other weights.
        """
        folder = find_model(self.model, self.revision)
        weights = find_weights(folder)
        require_safe(weights, self.sha256)
        if self.sha256 is not None:
            check_sha256(str(weights), sha256_file(weights), self.sha256)
        if self.content is not None and hash_listing(list_model_files(folder)) != self.content:
            raise LepbenchError(
                f"{folder} holds other files than the protocol's judge {self.label!r}",
                "restore them, or evaluate again with another protocol",
            )
        return folder


def find_model(model: str, revision: str | None) -> Path:
    """The folder of a model: a folder itself, or the snapshot of a hub id at a revision.

    Raises:
        LepbenchError: it is neither here nor can it be fetched.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    require_hub_id(model, revision)
    try:
        return fetch_snapshot(model, [*SETTINGS, *WEIGHTS], revision)
    except ConnectionError as error:
        raise LepbenchError(
            f"judge {model!r} is neither here nor could it be fetched ({error})",
            f"{PREFETCH if is_offline() else 'check the connection'}, or give its folder in a file for "
            "--judges; evaluate takes --judges none, too",
        ) from error


def require_hub_id(model: str, revision: str | None) -> None:
    """Refuse the name of a model that has no folder here unless it is a hub id at a revision.

    Raises:
        LepbenchError: it is none, or has no revision.
    """
    if not HUB_ID.fullmatch(model) or Path(model).expanduser().is_absolute():
        raise LepbenchError(f"there is no such folder: {model}", "give a folder, or a hub id 'owner/name'")
    if revision is None:
        raise LepbenchError(
            f"judge {model!r} has no revision to know its files by",
            "give the 'revision', a commit of the hub, so that it stays the same",
        )


def list_model_files(folder: Path) -> list[Path]:
    """The files of a model's folder that decide its figures, sorted: weights and settings."""
    return [
        path for path in list_visible(folder) if path.suffix in (".json", ".txt", ".model", ".safetensors")
    ]


def find_weights(folder: Path) -> Path:
    """The weights in a model's folder.

    Raises:
        LepbenchError: there are none.
    """
    for name in WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    raise LepbenchError(f"{folder} holds no {WEIGHTS[0]}", "check the folder")


def hash_listing(paths: Iterable[Path]) -> str:
    """One hash of several files, by name."""
    return sha256_bytes("".join(f"{hash_large_file(path)}  {path.name}\n" for path in paths).encode())


def require_safe(weights: Path, sha256: str | None) -> None:
    """Refuse weights that are not safetensors unless their bytes are pinned.

    Of others, tensors alone are read (`weights_only` of torch), and only of a file that is known.

    Raises:
        LepbenchError: they are neither.
    """
    if weights.suffix != ".safetensors" and sha256 is None:
        raise LepbenchError(f"{weights} is no safetensors file", "pin its bytes with 'sha256'")
