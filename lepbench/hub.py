"""Models of the hub, fetched, and uploads to it; every fault in one line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from lepbench.errors import LepbenchError

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
"""`owner/name`, as the hub knows models."""


def fetch_snapshot(model: str, patterns: Sequence[str], revision: str | None = None) -> Path:
    """The folder of a model's files at a revision, from the cache or the hub.

    Args:
        patterns: the files to fetch, as globs; nothing else is downloaded.
        revision: a commit, branch or tag; without it the newest.

    Raises:
        ConnectionError: the hub cannot be reached and its cache lacks the model; the message says why.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    download = partial(snapshot_download, revision=revision) if revision else snapshot_download
    try:
        return Path(download(model, allow_patterns=list(patterns)))
    except (LocalEntryNotFoundError, HfHubHTTPError, HFValidationError, OSError) as error:
        raise ConnectionError(f"{type(error).__name__} from the hub") from error


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
