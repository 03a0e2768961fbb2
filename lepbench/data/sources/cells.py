"""Cells of tables: which types can hold pictures and captions, and what single cells hold."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

import pyarrow as pa
from pyarrow import types

from lepbench.data.captions import decode_caption, first_text
from lepbench.data.corpus import Reason, Rejected
from lepbench.data.sources.files import MOST_BYTES
from lepbench.errors import LepbenchError

if TYPE_CHECKING:
    from datasets import ClassLabel

BASE64 = re.compile(r"[A-Za-z0-9+/_\-\s]+=*\s*")
ENCODED_BEGIN = 32
"""Characters of base64 that are decoded to tell a picture; a shorter text is the name of a file."""
LONGEST_NAME = 255
"""Characters of a file's name; a longer text is none."""
DATA_URL = re.compile(r"\s*data:", re.IGNORECASE)
SIGNATURES = (
    b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP",
    b"\xff\x4f\xff\x51",
)  # fmt: skip
"""First bytes of JPEG, PNG, GIF, WebP, BMP, TIFF and JPEG 2000; AVIF has `BOX` behind a length."""
BOX = b"ftyp"
SHOWN_TYPE = 60
SHOWN_COLUMNS = 8


def is_string(kind: pa.DataType) -> bool:
    """Whether cells are text."""
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def is_bytes(kind: pa.DataType) -> bool:
    """Whether cells are bytes."""
    tests = (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
    return any(test(kind) for test in tests)


def unwrap_type(kind: pa.DataType) -> pa.DataType:
    """The type of the values behind a dictionary or an extension."""
    if types.is_dictionary(kind):
        return kind.value_type
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def can_hold_pictures(kind: pa.DataType) -> bool:
    """Whether a cell of this type can be encoded bytes, text that encodes them, or the name of a file."""
    kind = unwrap_type(kind)
    if types.is_struct(kind):
        parts = (kind.field(number) for number in range(kind.num_fields))
        return any(
            part.name in ("bytes", "path") and (is_string(part.type) or is_bytes(part.type)) for part in parts
        )
    return is_string(kind) or is_bytes(kind)


def can_hold_captions(kind: pa.DataType) -> bool:
    """Whether a cell of this type can be a text or a list of texts."""
    kind = unwrap_type(kind)
    lists = (types.is_list, types.is_large_list, types.is_fixed_size_list, types.is_list_view)
    if any(test(kind) for test in lists):
        kind = unwrap_type(kind.value_type)
    return is_string(kind) or is_bytes(kind)


def check_column(
    schema: pa.Schema, column: str, what: str, can_hold: Callable[[pa.Field], bool], place: str
) -> None:
    """Refuse a column whose cells cannot be what is wanted of them, whatever they hold.

    Raises:
        LepbenchError: naming its type and the columns that can.
    """
    field = schema.field(column)
    if can_hold(field):
        return
    others = [f"{other.name} ({shorten(other.type)})" for other in schema if can_hold(other)]
    fix = f"name one of: {', '.join(others[:SHOWN_COLUMNS])}" if others else "no column of it can"
    raise LepbenchError(f"{place}: column {column!r} is {shorten(field.type)} and cannot hold {what}", fix)


def shorten(kind: pa.DataType) -> str:
    """A type in a message."""
    text = str(kind)
    return text if len(text) <= SHOWN_TYPE else f"{text[:SHOWN_TYPE]}..."


def read_labels(schema: pa.Schema) -> dict[str, ClassLabel]:
    """The columns of class labels, by the features that `datasets` wrote into a schema."""
    from datasets import ClassLabel, Features

    if b"huggingface" not in (schema.metadata or {}):
        return {}
    try:
        features = Features.from_arrow_schema(schema)
    except (AttributeError, KeyError, TypeError, ValueError):  # features of other versions
        return {}
    return {name: feature for name, feature in features.items() if isinstance(feature, ClassLabel)}


def read_caption(cell: Any, label: ClassLabel | None) -> str:
    """The caption that a cell holds: a text, the first of a list of them, or a label's name.

    Raises:
        Rejected: it holds none.
    """
    if label is not None:
        if not isinstance(cell, int) or not 0 <= cell < label.num_classes:
            raise Rejected(Reason.NO_CAPTION, f"label {cell}")
        return str(label.int2str(cell))
    if isinstance(cell, list):
        cell = cell[0] if cell else None
    text = decode_caption(cell) if isinstance(cell, bytes) else first_text(cell)
    if text is None:
        raise Rejected(Reason.NO_CAPTION)
    return text


def read_encoded(cell: Any) -> bytes | str:
    """The encoded picture that a cell holds, or the name of its file.

    Raises:
        Rejected: it holds neither, or an address.
    """
    content = cell.get("bytes") if isinstance(cell, dict) else cell
    if content is None and isinstance(cell, dict):
        content = cell.get("path")
    if isinstance(content, str):
        decoded = decode_text(content)
        if decoded is None and is_address(content):
            raise Rejected(Reason.NOT_HERE, content[:200])
        content = content if decoded is None else decoded
    elif isinstance(content, bytes) and content[:ENCODED_BEGIN].isascii():
        content = decode_text(content.decode("ascii", "replace"), named=False) or content
    if isinstance(content, str) and content:
        return content
    if not isinstance(content, bytes):
        raise Rejected(Reason.NO_PICTURE)
    if not content:
        raise Rejected(Reason.EMPTY_FILE)
    if len(content) > MOST_BYTES:
        raise Rejected(Reason.TOO_LARGE, f"more than {MOST_BYTES} bytes")
    return content


def decode_text(text: str, named: bool = True) -> bytes | None:
    """The bytes that a data URL or base64 encodes; None for any other text.

    Args:
        named: the text may be the name of a file, unless it is longer than any.

    Raises:
        Rejected: its base64 is damaged.
    """
    if DATA_URL.match(text):
        header, _, payload = text.partition(",")
        encoded = unquote_to_bytes(payload.strip())
        return decode_base64(encoded) if header.rstrip().lower().endswith(";base64") else encoded
    if len(text) < ENCODED_BEGIN or not BASE64.fullmatch(text, endpos=LONGEST_NAME):
        return None
    begin = decode_base64(text[:ENCODED_BEGIN].encode(), partial=True)
    known = begin.startswith(SIGNATURES) or begin[4:8] == BOX
    if not known and not (named and len(text) > LONGEST_NAME):
        return None
    return decode_base64(text.encode("ascii", "replace"))


def decode_base64(encoded: bytes, partial: bool = False) -> bytes:
    """Decode base64 of either alphabet, with white space or not, and with padding or not.

    Raises:
        Rejected: it is damaged.
    """
    plain = b"".join(encoded.split()).translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    if partial:
        plain = plain[: len(plain) // 4 * 4]
    try:
        return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except binascii.Error as error:
        raise Rejected(Reason.NOT_DECODABLE, "damaged base64") from error


def is_address(text: str) -> bool:
    """Whether a text is the address of a file elsewhere."""
    return "://" in text


def refuse_addresses(cells: Iterable[Any], column: str, place: str) -> None:
    """Refuse a column of web addresses, by its first cells.

    Raises:
        LepbenchError: all that hold something hold an address.
    """
    filled = [cell for cell in cells if cell]
    if filled and all(
        isinstance(cell, str) and is_address(cell) and not DATA_URL.match(cell) for cell in filled
    ):
        raise LepbenchError(
            f"{place}: column {column!r} holds web addresses, such as {filled[0][:100]}",
            "nothing is downloaded: fetch the pictures first, for example with img2dataset",
        )
