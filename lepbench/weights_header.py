"""What a safetensors file says that it holds, checked before a network is built for it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from lepbench.documents import parse_json
from lepbench.errors import LepbenchError

MOST_HEADER = 1 << 24
"""Bytes of a header."""
MOST_LAYERS, MOST_SIZE = 256, 1 << 20
"""Numbers of layers, and other sizes, that the config of a small file may have."""
METADATA = "__metadata__"
BITS = {
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8,
    "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32,
    "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}  # fmt: skip
"""Bits of a value by the name of its type. Source: safetensors 0.8, `Dtype`."""


class StoredTensor(NamedTuple):
    """A tensor as the header describes it."""

    dtype: str
    shape: tuple[int, ...]


def read_header(path: Path, fix: str) -> dict[str, StoredTensor]:
    """The tensors of a safetensors file by name; their bytes are there, each once and without gaps.

    Raises:
        LepbenchError: the file is missing, or its header is none or speaks of other bytes.
    """
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            length = int.from_bytes(stream.read(8), "little")
            if size < 8 or length > min(size - 8, MOST_HEADER):
                raise ValueError(f"a header of {length} bytes in a file of {size}")
            document = parse_json(stream.read(length))
        return dict(_check_tensors(document, size - 8 - length))
    except OSError as error:
        raise LepbenchError(f"cannot read {path}: {error.strerror}", fix) from error
    except ValueError as error:
        raise LepbenchError(f"{path} is no safetensors file: {error}", fix) from error


def _check_tensors(document: Any, size: int) -> Iterator[tuple[str, StoredTensor]]:
    """Tensors in the order of their bytes, of which there are `size`.

    Raises:
        ValueError: one is not described as it should be, or they overlap, leave gaps or end elsewhere.
    """
    if not isinstance(document, dict):
        raise ValueError("its header is no mapping")
    entries = [(name, _read_entry(name, entry)) for name, entry in document.items() if name != METADATA]
    end = 0
    for name, (tensor, (start, stop)) in sorted(entries, key=lambda pair: pair[1][1]):
        if start != end or (stop - start) * 8 != math.prod(tensor.shape) * BITS[tensor.dtype]:
            raise ValueError(f"tensor {name!r} is not as long as its shape, or not where it should be")
        end = stop
        yield name, tensor
    if end != size:
        raise ValueError(f"its tensors end at byte {end} of {size}")


def _read_entry(name: str, entry: Any) -> tuple[StoredTensor, tuple[int, int]]:
    known: dict[str, Any] = entry if isinstance(entry, dict) else {}
    dtype, shape, offsets = known.get("dtype"), known.get("shape"), known.get("data_offsets")
    if not isinstance(dtype, str) or dtype not in BITS:
        raise ValueError(f"tensor {name!r} is of no known type")
    if not (_are_sizes(shape) and _are_sizes(offsets)) or len(offsets) != 2:
        raise ValueError(f"tensor {name!r} has no shape and offsets in whole numbers")
    return StoredTensor(dtype, tuple(shape)), (offsets[0], offsets[1])


def _are_sizes(found: object) -> TypeGuard[list[int]]:
    """Whether this is a list of few enough whole numbers that a memory could have."""
    return (
        isinstance(found, list) and len(found) <= 16 and all(type(n) is int and 0 <= n < 2**48 for n in found)
    )


def list_numbers(config: object, key: str = "") -> Iterator[tuple[str, int]]:
    """Every whole number in a config, and the length of every list, with the key under which it stands.

    Args:
        config: a mapping, or a part of one.
        key: under which the part stands.
    """
    if isinstance(config, Mapping):
        for name, value in config.items():
            yield from list_numbers(value, str(name))
    elif isinstance(config, list | tuple):
        yield key, len(config)
        for value in config:
            yield from list_numbers(value, key)
    elif isinstance(config, int):
        yield key, config


def find_odd_size(config: Mapping[str, Any], header: Mapping[str, StoredTensor]) -> str | None:
    """The first number of a config of diffusers or transformers that no network of such weights has.

    Numbers may have other meanings than sizes, and quantised weights are packed: what is refused would take
    time or memory out of all proportion to the file.

    Args:
        header: of all files of the weights.
    """
    widest = max((size for tensor in header.values() for size in tensor.shape), default=0)
    layers, sizes = max(len(header), MOST_LAYERS), max(4 * widest, MOST_SIZE)
    odd = (
        f"{key} {number}"
        for key, number in list_numbers(config)
        if abs(number) > (layers if "layers" in key else sizes)
    )
    return next(odd, None)


def compare_shapes(wanted: Mapping[str, tuple[int, ...]], header: Mapping[str, StoredTensor]) -> str | None:
    """The first way in which a file's tensors are not those that a network takes; None where they are."""
    for name, shape in wanted.items():
        if name not in header:
            return f"it lacks {name!r}"
        if header[name].shape != shape:
            return f"{name!r} is {list(header[name].shape)}, and the config asks for {list(shape)}"
    other = next((name for name in header if name not in wanted), None)
    return None if other is None else f"the config does not ask for {other!r}"
