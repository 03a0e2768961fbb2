"""Uploading to the hub, every fault reported in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lepbench.errors import LepbenchError


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
