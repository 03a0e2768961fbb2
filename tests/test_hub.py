"""The hub by its own client: what its cache holds, and its refusals in one line."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants
from huggingface_hub.errors import (
    GatedRepoError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from lepbench.errors import LepbenchError
from lepbench.hub import ask_hub, find_snapshot
from lepbench.hub_files import HubFiles

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ANSWER: Any = SimpleNamespace(headers={}, request=None, status_code=403)
"""As much of an answer as the errors of the client look at."""


def test_a_snapshot_is_found_in_the_cache_as_the_client_lays_it_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert find_snapshot("someone/thing") is None
    model = tmp_path / "models--someone--thing"
    snapshot = model / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(COMMIT)
    (snapshot / "config.json").write_text("{}")
    assert find_snapshot("someone/thing") == find_snapshot("someone/thing", COMMIT) == snapshot
    assert HubFiles("judge", "someone/thing", ("config.json",)).is_here()
    assert not HubFiles("judge", "someone/thing", ("config.json", "model.safetensors")).is_here()
    assert not HubFiles("judge", "someone/thing", ("config.json",), "f" * 40).is_here()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (GatedRepoError("no", response=ANSWER), "someone/thing on the hub is for those who accepted"),
        (RepositoryNotFoundError("no", response=ANSWER), "the hub has no someone/thing; check the name"),
        (RevisionNotFoundError("no", response=ANSWER), "the hub has no someone/thing; check the name"),
        (OfflineModeIsEnabled("no"), "someone/thing cannot be asked for offline; unset HF_HUB_OFFLINE"),
        (ConnectionError("no"), "could not be asked for: ConnectionError from the hub; check the connection"),
    ],
)
def test_refusals_are_one_line(error: Exception, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", refuse)
    with pytest.raises(LepbenchError, match=said):
        ask_hub("someone/thing")


def test_groups_of_weights_are_read_in_order() -> None:
    choice = (
        ("unet/a.safetensors",),
        ("unet/a.index.json", "unet/a-*.safetensors"),
        ("unet/a.fp16.safetensors",),
    )
    files = HubFiles("backbone", "someone/thing", ("*.json",), optional=("notes.txt",), choices=(choice,))
    whole = ["model_index.json", "unet/a.safetensors", "unet/a.fp16.safetensors", "unet/a.bin", "x.ckpt"]
    assert files.choose_files(whole) == ["model_index.json", "unet/a.safetensors"]
    half = ["model_index.json", "notes.txt", "unet/a-1.safetensors", "unet/a.fp16.safetensors"]
    assert files.choose_files(half) == ["model_index.json", "notes.txt", "unet/a.fp16.safetensors"]
    with pytest.raises(LepbenchError, match=r"someone/thing has no unet/a\.safetensors"):
        files.choose_files(["model_index.json", "unet/a.bin"])
    with pytest.raises(LepbenchError, match=r"has no \*\.json"):
        files.choose_files(["unet/a.safetensors"])
