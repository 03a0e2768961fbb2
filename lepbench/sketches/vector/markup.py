"""Bytes of an SVG file to its elements: compression, encodings and entities, all within bounds."""

from __future__ import annotations

import codecs
import re
import zlib
from collections import Counter
from contextlib import suppress
from typing import Any
from xml.etree.ElementTree import Element
from xml.parsers import expat

import defusedxml.ElementTree

from lepbench.sketches.base import LARGEST, Fault, Unusable

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.-]+)""")
GZIP = b"\x1f\x8b"
ENTITY = re.compile(r"&([\w:.-]+);")
DEEPEST = 16
"""Entities inside one another, at most."""


def parse_document(content: bytes) -> Element:
    """The root of an SVG document, plain or gzipped; nothing outside it is read.

    Raises:
        Unusable: it is no XML or no SVG, refers to an external entity, or is too large.
    """
    try:
        text = decode_text(inflate(content))
        check_entities(text)
        root: Element = defusedxml.ElementTree.fromstring(text, forbid_entities=False)
    except (SyntaxError, ValueError, LookupError, zlib.error) as error:
        raise Unusable(Fault.DAMAGED, f"not well-formed XML: {error}") from error
    if tag_of(root) != "svg":
        raise Unusable(Fault.DAMAGED, f"its root is <{root.tag}>, not <svg>")
    return root


def tag_of(element: Element) -> str:
    """The name of an SVG element; empty for elements of other namespaces, such as an editor's own."""
    space, _, name = str(element.tag).rpartition("}")
    return name if space in ("", f"{{{SVG}") else ""


def reference_of(element: Element) -> str:
    """What `href`, or `xlink:href`, says; empty where there is none."""
    return (element.get("href") or element.get(f"{{{XLINK}}}href") or "").strip()


def inflate(content: bytes) -> bytes:
    """The content of a gzipped file (.svgz); other content as it is.

    Raises:
        Unusable: it is too large.
        zlib.error: it is damaged.
    """
    if not content.startswith(GZIP):
        return content
    unpacked = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content, LARGEST + 1)
    if len(unpacked) > LARGEST:
        raise Unusable(Fault.TOO_LARGE, f"more than {LARGEST} bytes once unpacked")
    return unpacked


def decode_text(content: bytes) -> str:
    """The text by its byte order mark, else as its declaration says, else as UTF-8.

    Raises:
        ValueError: it is not in that encoding.
        LookupError: there is no such encoding.
    """
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return content.decode(encoding)
    declared = DECLARED.search(content)
    return content.decode(declared[1].decode() if declared else "utf-8")


def check_entities(text: str) -> None:
    """See that the document stays within `LARGEST` characters when the entities it declares are replaced.

    Raises:
        Unusable: it does not, or its entities refer to one another too deeply.
    """
    values = read_entities(text) if "<!ENTITY" in text else {}
    used = {name: Counter(ENTITY.findall(value)) for name, value in values.items()}
    sizes = {name: len(value) for name, value in values.items()}
    # Entities that refer to others are replaced from the inside out, in as many rounds as they are deep.
    for _ in range(DEEPEST):
        grown = {name: len(values[name]) + _count_added(used[name], sizes) for name in values}
        if grown == sizes:
            break
        sizes = grown
    else:
        raise Unusable(Fault.TOO_LARGE, f"its entities refer to one another more than {DEEPEST} times")
    if values and len(text) + _count_added(Counter(ENTITY.findall(text)), sizes) > LARGEST:
        raise Unusable(Fault.TOO_LARGE, f"more than {LARGEST} characters once its entities are replaced")


def _count_added(used: Counter[str], sizes: dict[str, int]) -> int:
    return sum(count * sizes.get(name, 0) for name, count in used.items())


def read_entities(text: str) -> dict[str, str]:
    """The internal entities that a document declares, by name."""
    values: dict[str, str] = {}

    def note(name: str, parameter: bool, value: str | None, *outside: Any) -> None:
        if value is not None:
            values.setdefault(name, value)

    def stop(*root: Any) -> None:
        raise StopIteration

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = note
    parser.StartElementHandler = stop
    # What is not well-formed is reported by the parser of the whole.
    with suppress(StopIteration, expat.ExpatError):
        parser.Parse(text, True)
    return values
