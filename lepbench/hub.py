"""Models of the hub, asked for and fetched, and uploads to it; every fault in one line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from lepbench.errors import LepbenchError

HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
"""`owner/name`, as the hub knows models."""


_pinned: ContextVar[Mapping[str, str]] = ContextVar("pinned revisions", default=MappingProxyType({}))


@contextmanager
def pin_revisions(revisions: Mapping[str, str]) -> Iterator[None]:
    """A block in which models are those of commits, by `owner/name`, unless a caller asks for another."""
    token = _pinned.set(dict(revisions))
    try:
        yield
    finally:
        _pinned.reset(token)


def list_pinned() -> dict[str, str]:
    """The commits that models are pinned to here, by `owner/name`."""
    return dict(_pinned.get())


def fetch_snapshot(model: str, patterns: Sequence[str], revision: str | None = None) -> Path:
    """The folder of a model's files at a revision, from the cache or the hub.

    Args:
        patterns: the files to fetch, as globs; nothing else is downloaded.
        revision: a commit, branch or tag; without it the one pinned, or the newest.

    Raises:
        ConnectionError: the hub cannot be reached and its cache lacks the model; the message says why.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    revision = revision or _pinned.get().get(model)
    download = partial(snapshot_download, revision=revision) if revision else snapshot_download
    try:
        return Path(download(model, allow_patterns=list(patterns)))
    except (LocalEntryNotFoundError, HfHubHTTPError, HFValidationError, OSError) as error:
        raise ConnectionError(f"{type(error).__name__} from the hub") from error


class RemoteModel(NamedTuple):
    """What the hub states of a model at a revision.

    Attributes:
        commit: of the revision.
        files: by name the size in bytes and the SHA-256, each None where it is not stated.
    """

    commit: str
    files: dict[str, tuple[int | None, str | None]]


def ask_hub(model: str, revision: str | None = None) -> RemoteModel:
    """What the hub states of a model's files.

    Raises:
        LepbenchError: it has none of that name, gives it only to members, or cannot be reached.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        GatedRepoError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        info = HfApi().model_info(model, revision=revision, files_metadata=True)
    except GatedRepoError as error:
        fix = f"accept its licence at https://huggingface.co/{model}, and run 'hf auth login'"
        raise LepbenchError(f"{model} on the hub is for those who accepted its licence", fix) from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        named = model if revision is None else f"{model} at {revision}"
        fix = "check the name; for a private model run 'hf auth login'"
        raise LepbenchError(f"the hub has no {named}", fix) from error
    except OfflineModeIsEnabled as error:
        raise LepbenchError(f"{model} cannot be asked for offline", "unset HF_HUB_OFFLINE") from error
    except Exception as error:  # the hub's client passes on whatever its transport raises
        raise LepbenchError(
            f"{model} could not be asked for: {type(error).__name__} from the hub", "check the connection"
        ) from error
    files = {
        file.rfilename: (file.size, None if file.lfs is None else file.lfs.sha256)
        for file in info.siblings or ()
    }
    return RemoteModel(str(info.sha), files)


def find_snapshot(model: str, revision: str | None = None) -> Path | None:
    """The folder in the hub's cache of a model at a revision, whatever files it holds; None without one."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    revision = revision or _pinned.get().get(model)
    try:
        return Path(snapshot_download(model, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError):
        return None


@contextmanager
def report_upload_errors(repo_id: str) -> Iterator[None]:
    """A block that uploads to `owner/name`.

    Raises:
        LepbenchError: the hub refuses or cannot be reached.
    """
    try:
        yield
    except Exception as error:  # the hub's client passes on whatever its transport raises
        raise LepbenchError(
            f"{repo_id!r} could not be uploaded: {type(error).__name__}",
            "check the name, the token and the connection",
        ) from error
