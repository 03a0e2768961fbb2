"""Seeded mutations of files: of their bytes, of the values in a document, of the columns of a table."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

TOKENS = [
    b"\0", b"[", b"{", b"}", b'"', b"'", b": ", b"- ", b"\n", b"\r\n", b"\t", b",", b"#", b"9" * 5000, b"-1",
    b"0", b"1e999", b"NaN", b"nan", b"inf", b"Infinity", b"2024-13-45", b"1:" * 500, b"0x" + b"f" * 300,
    b"&a [*a]", b"<<: *a", b"!!bool x", b"!!python/name:os.system", b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800",
    b"../../../x", b"=HYPERLINK(1)", "\u202e\u2028".encode(), b"18446744073709551616", b"[" * 3000,
    b"{a: " * 300,
    b"[" * 200_000, b'{"a":' * 2000, b"<!ENTITY a 'b'>", b"<g>" * 500, b"null", b"true",
    b"x" * 5000,
]  # fmt: skip
"""What is put into bytes."""
TEXTS = [
    "", "x", "x" * 5000, "../../x", "/etc/passwd", "=1+1", "\u202e", "\ud800", "a\0b", "nan", "-1", "a\nb",
    "\x1b[2J",
]  # fmt: skip
NUMBERS = [0, 1, -1, 2**31, 2**63, 2**64, 10**30, 1e308, float("nan"), float("inf"), 0.5, 10**9]


def mutate_file(name: str, content: bytes, random: Random) -> bytes:
    """A file's content with one to three mutations, of the kinds that fit its suffix."""
    kinds: dict[str, Callable[[bytes, Random], bytes]] = {
        "json": mutate_json,
        "yaml": mutate_yaml,
        "parquet": mutate_parquet,
        "safetensors": mutate_header,
        "png": mutate_png,
    }
    mutate = kinds.get(name.rpartition(".")[2])
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        try:
            content = (
                mutate(content, random) if mutate and random.random() < 0.6 else mutate_bytes(content, random)
            )
        except (
            ValueError,
            TypeError,
            LookupError,
            OverflowError,
            yaml.YAMLError,
            pa.ArrowException,
            OSError,
        ):
            content = mutate_bytes(content, random)  # an earlier mutation left nothing of the structure
        except (RecursionError, struct.error, AttributeError):
            content = mutate_bytes(content, random)
    return content


def mutate_bytes(content: bytes, random: Random) -> bytes:
    """Bytes with a few flipped, cut out, repeated, overwritten or put in."""
    start = random.randrange(len(content) + 1)
    stop = min(len(content), start + random.choice((1, 4, 40, 400)))
    kind = random.randrange(6)
    if kind == 0 and content:
        changed = bytearray(content)
        for _ in range(random.choice((1, 3, 30))):
            changed[random.randrange(len(content))] ^= 1 << random.randrange(8)
        return bytes(changed)
    if kind == 1:
        return content[:start]
    if kind == 2:
        return content[:start] + content[stop:]
    if kind == 3:
        return content[:start] + content[start:stop] * random.choice((2, 10, 200)) + content[stop:]
    token = random.choice(TOKENS)
    return content[:start] + token + content[stop if kind == 4 else start :]


def mutate_json(content: bytes, random: Random) -> bytes:
    """JSON with another value, key or nesting somewhere."""
    return json.dumps(mutate_tree(json.loads(content), random)).encode()


def mutate_yaml(content: bytes, random: Random) -> bytes:
    """YAML with another value, key or nesting somewhere."""
    tree = mutate_tree(yaml.safe_load(content), random)
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=False).encode()


def mutate_tree(tree: Any, random: Random) -> Any:
    """A document with one place changed: another value, none, another key, deeper, or repeated."""
    places = list(list_places(tree))
    if not places:
        return draw_value(random)
    holder, key = random.choice(places)
    kind = random.randrange(6)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[random.choice((*TEXTS, *NUMBERS, None)) if random.random() < 0.5 else f"{key}s"] = holder.pop(
            key
        )
    elif kind == 2:
        for _ in range(random.choice((1, 3, 80))):
            holder[key] = [holder[key]] if random.random() < 0.5 else {"name": holder[key]}
    elif kind == 3:
        other, there = random.choice(places)
        # As a copy: a tree that holds itself cannot be written.
        holder[key] = json.loads(json.dumps(other[there], default=str))
    elif kind == 4 and isinstance(holder[key], list):
        holder[key] = holder[key] * random.choice((2, 50))
    else:
        holder[key] = draw_value(random)
    return tree


def list_places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every value of a document as what holds it, and its key there."""
    keys: Any = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        yield tree, key
        yield from list_places(tree[key])


def draw_value(random: Random) -> Any:
    """A value of any type, of which many are at an end of their range."""
    kinds: tuple[Any, ...] = (None, True, [], {}, [None], {"name": "x"}, [[1], "a"])
    return random.choice((random.choice(TEXTS), random.choice(NUMBERS), random.choice(kinds)))


def mutate_parquet(content: bytes, random: Random) -> bytes:
    """A Parquet file with a column changed, or rows repeated or dropped."""
    table = pq.read_table(io.BytesIO(content))
    number = random.randrange(table.num_columns)
    name, column = table.column_names[number], table.column(number)
    kind = random.randrange(7)
    if kind == 0:
        table = table.remove_column(number)
    elif kind == 1:
        table = table.rename_columns(
            [random.choice(TEXTS[:6]) if n == name else n for n in table.column_names]
        )
    elif kind == 2:
        table = table.slice(random.randrange(len(table) + 1), random.randrange(len(table) + 1))
    elif kind == 3:
        table = pa.concat_tables([table] * random.choice((2, 30)))
    elif kind == 4:
        table = table.append_column(name, column)
    else:
        changed = change_column(column, len(table), random) if kind == 5 else spoil_cells(column, random)
        table = table.set_column(number, name, changed)
    stream = io.BytesIO()
    pq.write_table(table, stream, compression=random.choice(("none", "zstd")))
    return stream.getvalue()


def change_column(column: pa.ChunkedArray, rows: int, random: Random) -> pa.Array:
    """A column of another type."""
    kind = random.randrange(6)
    if kind == 0:
        return pa.nulls(rows, column.type)
    if kind == 1:
        return pa.array([str(value)[:100] for value in column.to_pylist()])
    if kind == 2:
        return pa.array([random.choice((0, 1, -1, 2**62)) for _ in range(rows)])
    if kind == 3:
        return pa.array([[row] * (row % 3) for row in range(rows)])
    if kind == 4:
        return pa.array([random.choice((0.5, -1e308, float("nan"), float("inf"))) for _ in range(rows)])
    return pa.array([{"bytes": b"x", "path": None} for _ in range(rows)])


def spoil_cells(column: pa.ChunkedArray, random: Random) -> pa.Array:
    """A column with some cells emptied or changed, of its own type where that can be."""
    values = column.to_pylist()
    for _ in range(random.choice((1, 3, len(values) or 1))):
        if values:
            row = random.randrange(len(values))
            values[row] = _spoil(values[row], random)
    return pa.array(values, column.type)


def _spoil(value: Any, random: Random) -> Any:
    if random.random() < 0.3:
        return None
    if isinstance(value, bytes):
        return mutate_png(value, random) if random.random() < 0.5 else mutate_bytes(value, random)
    if isinstance(value, str):
        changed = random.choice(TEXTS).encode(errors="replace").decode()
        return (
            changed
            if random.random() < 0.5
            else mutate_bytes(value.encode(), random).decode(errors="replace")
        )
    return random.choice((0, -1, 2**31 - 1)) if isinstance(value, int) else random.choice((0.0, -1e300))


def mutate_header(content: bytes, random: Random) -> bytes:
    """A safetensors file whose header speaks of other tensors, its length corrected or not."""
    length = int.from_bytes(content[:8], "little")
    header = json.dumps(mutate_tree(json.loads(content[8 : 8 + length]), random)).encode()
    stated = len(header) if random.random() < 0.8 else random.choice((0, 2**40, 2**63, len(header) + 7))
    return struct.pack("<Q", stated) + header + content[8 + length :]


def mutate_png(content: bytes, random: Random) -> bytes:
    """A PNG with other numbers in its header, checksum and all."""
    head = bytearray(content[12:29])
    if head[:4] != b"IHDR":
        return mutate_bytes(content, random)
    if random.random() < 0.6:
        place = random.choice((4, 8))
        head[place : place + 4] = struct.pack(">I", random.choice((0, 1, 7, 1000, 20_000, 65_536, 2**31 - 1)))
    else:
        head[random.randrange(12, 17)] = random.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
    return content[:12] + bytes(head) + struct.pack(">I", zlib.crc32(head)) + content[33:]
