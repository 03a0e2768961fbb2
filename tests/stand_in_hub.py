"""A hub of folders on this disk, and a cache of it, in place of huggingface_hub's public functions."""

from __future__ import annotations

import os
import shutil
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from lepbench.files import sha256_file

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class StandInHub:
    """Models by `owner/name`, each a folder.

    Attributes:
        fetched: `MODEL/FILE` of every file that was downloaded.
        asked: the revision of every model that was asked for.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.models: dict[str, Path] = {}
        self.fetched: list[str] = []
        self.asked: list[str | None] = []

    def publish(self, model: str, folder: Path) -> None:
        self.models[model] = folder

    def take(self, monkeypatch: pytest.MonkeyPatch) -> StandInHub:
        """Put it in the place of the real one."""
        monkeypatch.setattr(huggingface_hub, "snapshot_download", self.snapshot_download)
        monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda _, *a, **k: self.model_info(*a, **k))
        return self

    def cached(self, model: str) -> Path:
        return self.root / model.replace("/", "--") / COMMIT

    def snapshot_download(
        self,
        model: str,
        *,
        revision: str | None = None,
        allow_patterns: list[str] | None = None,
        local_files_only: bool = False,
    ) -> str:
        self.asked.append(revision)
        folder = self.cached(model)
        if local_files_only or os.environ.get("HF_HUB_OFFLINE") == "1":
            if not folder.is_dir():
                raise LocalEntryNotFoundError(f"{model} is not cached")
            return str(folder)
        for name in self.list_names(model):
            wanted = allow_patterns is None or any(fnmatchcase(name, glob) for glob in allow_patterns)
            if wanted and not (folder / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self.models[model] / name, folder / name)
                self.fetched.append(f"{model}/{name}")
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    def model_info(self, model: str, *, revision: str | None = None, files_metadata: bool = False) -> Any:
        assert files_metadata
        siblings = [self._describe(self.models[model] / name, name) for name in self.list_names(model)]
        return SimpleNamespace(sha=COMMIT, siblings=siblings)

    def list_names(self, model: str) -> list[str]:
        folder = self.models[model]
        return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())

    @staticmethod
    def _describe(path: Path, name: str) -> Any:
        """As the hub: it states the SHA-256 of large files alone."""
        large = path.suffix in (".safetensors", ".bin", ".ckpt")
        lfs = SimpleNamespace(sha256=sha256_file(path)) if large else None
        return SimpleNamespace(rfilename=name, size=path.stat().st_size, lfs=lfs)
