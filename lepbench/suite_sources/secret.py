"""A secret that decides which scenes a suite holds, and the commitment that says so before it is told."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.files import explain_unwritable, make_folder, sha256_bytes

LEAST, MOST = 16, 64
"""Bytes of a secret. A shorter one could be guessed and held against the commitment. Of a longer one HMAC
would take the SHA-256 for its key, and that is the commitment, which everyone reads."""
MADE = 32
FIRST_INDEX = 1 << 52
"""Indices from here to 2^53, up to which JSON keeps whole numbers, are of secrets alone: published suites
and training sets begin at 0."""


def read_secret(path: Path) -> bytes:
    """The secret in a file; of random bytes, which its owner alone may read, where there is none.

    Raises:
        LepbenchError: the file cannot be read or made, or holds fewer than 16 bytes or more than 64.
    """
    _make_secret(path)
    try:
        with path.open("rb") as stream:
            secret = stream.read(MOST + 1)
    except OSError as error:
        raise LepbenchError(f"cannot read {path}: {error.strerror}", "give a file of random bytes") from error
    if not LEAST <= len(secret) <= MOST:
        amount = "more" if len(secret) > MOST else "fewer"
        raise LepbenchError(
            f"{path} holds {amount} bytes than a secret, {LEAST} to {MOST}",
            "name a file that does not exist, and it is made",
        )
    return secret


def _make_secret(path: Path) -> None:
    make_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise explain_unwritable(path, error) from error
    with open(descriptor, "wb") as stream:  # noqa: PTH123 - a descriptor, which has no path's methods
        stream.write(secrets.token_bytes(MADE))


def commit_secret(secret: bytes) -> str:
    """The SHA-256 of a secret, in hex: it binds to the secret, and does not tell it."""
    return sha256_bytes(secret)


def draw_index(secret: bytes, *parts: str | int) -> int:
    """The index of a scene, in [2^52, 2^53): 52 bits of the HMAC-SHA256 of its parts under a secret.

    Source: RFC 2104.
    """
    text = "\x1f".join(str(part) for part in parts)
    digest = hmac.digest(secret, text.encode(), "sha256")
    return FIRST_INDEX + (int.from_bytes(digest[:8], "big") >> 12)
