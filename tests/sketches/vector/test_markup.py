"""Bytes to elements: entities, encodings and compression are resolved within bounds, nothing else is read."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest

from lepbench.sketches import Fault, Unusable
from lepbench.sketches.base import LARGEST
from lepbench.sketches.vector.markup import parse_document, read_entities, reference_of, tag_of

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><g id="é"/></svg>'
ILLUSTRATOR = """<?xml version="1.0" encoding="utf-8"?>
<!-- Generator: Adobe Illustrator 16.0.0 -->
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [
  <!ENTITY ns_extend "http://ns.adobe.com/Extensibility/1.0/">
  <!ENTITY ns_svg "http://www.w3.org/2000/svg">
  <!ENTITY ns_xlink "http://www.w3.org/1999/xlink">
  <!ENTITY st0 "fill:none;stroke:#000000;">
]>
<svg xmlns:x="&ns_extend;" xmlns="&ns_svg;" xmlns:xlink="&ns_xlink;" viewBox="0 0 9 9">
  <switch><foreignObject requiredExtensions="&ns_extend;"/><g><path style="&st0;" d="M1 1h7"/></g></switch>
  <use xlink:href="#a"/>
</svg>"""


def test_entities_of_illustrator_are_resolved() -> None:
    root = parse_document(ILLUSTRATOR.encode())
    assert [tag_of(element) for element in root.iter()] == [
        "svg",
        "switch",
        "foreignObject",
        "g",
        "path",
        "use",
    ]
    (path,) = (element for element in root.iter() if tag_of(element) == "path")
    assert path.get("style") == "fill:none;stroke:#000000;"
    assert reference_of(root[1]) == "#a"
    assert set(read_entities(ILLUSTRATOR)) == {"ns_extend", "ns_svg", "ns_xlink", "st0"}


@pytest.mark.parametrize(
    "content",
    [
        SVG.encode(),
        SVG.encode("utf-8-sig"),
        SVG.encode("utf-16"),
        f'<?xml version="1.0" encoding="UTF-16"?>{SVG}'.encode("utf-16"),
        f"<?xml version='1.0' encoding='iso-8859-1'?>{SVG}".encode("latin-1"),
        f'<?xml version="1.0" encoding="windows-1252"?>{SVG}'.encode("cp1252"),
        gzip.compress(SVG.encode(), mtime=0),
        f"<!-- é -->\n{SVG}".encode(),
        SVG.replace("<g", "<x:g")
        .replace('2000/svg"', '2000/svg" xmlns:x="http://www.w3.org/2000/svg"')
        .encode(),
        b'<svg><g id="\xc3\xa9"/></svg>',
    ],
)
def test_encodings_and_compression(content: bytes) -> None:
    root = parse_document(content)
    assert tag_of(root) == "svg"
    assert tag_of(root[0]) == "g"
    assert root[0].get("id") == "é"


def dtd(*entities: str) -> str:
    return f"<!DOCTYPE svg [{''.join(f'<!ENTITY {entity}>' for entity in entities)}]>"


def bomb(depth: int, width: int) -> str:
    chain = [f'e{i + 1} "{f"&e{i};" * width}"' for i in range(depth)]
    return dtd('e0 "ha"', *chain) + f"<svg><text>&e{depth};</text></svg>"


@pytest.mark.parametrize(
    ("text", "fault", "word"),
    [
        (bomb(9, 10), Fault.TOO_LARGE, "entities"),
        (bomb(40, 1), Fault.TOO_LARGE, "entities refer"),
        (dtd(f'a "{"x" * 90_000}"') + f"<svg>{'&a;' * 1000}</svg>", Fault.TOO_LARGE, "entities"),
        (dtd(f'a "{"x" * 90_000}"') + f'<svg id="{"&a;" * 1000}"/>', Fault.TOO_LARGE, "entities"),
        (dtd('a "&b;"', 'b "&a;"') + "<svg>&a;</svg>", Fault.TOO_LARGE, "entities refer"),
        (dtd('a SYSTEM "file:///etc/passwd"') + "<svg>&a;</svg>", Fault.DAMAGED, "ExternalReference"),
        (
            dtd('% a SYSTEM "http://127.0.0.1/a.dtd"').replace("]>", "%a;]>") + "<svg>&b;</svg>",
            Fault.DAMAGED,
            "undefined entity",
        ),
        ("<svg>&nbsp;</svg>", Fault.DAMAGED, "undefined entity"),
        ("<svg>\n<g>\n</svg>", Fault.DAMAGED, "line 3"),
        ("<html/>", Fault.DAMAGED, "<html>"),
        ('<svg xmlns="urn:other"/>', Fault.DAMAGED, "not <svg>"),
        ('<?xml version="1.0" encoding="klingon"?><svg/>', Fault.DAMAGED, "klingon"),
        ("", Fault.DAMAGED, "not well-formed"),
    ],
)
def test_what_is_refused_says_why_and_at_once(text: str, fault: Fault, word: str) -> None:
    started = time.monotonic()
    with pytest.raises(Unusable, match=word) as caught:
        parse_document(text.encode())
    assert caught.value.fault is fault
    assert "\n" not in caught.value.detail
    assert time.monotonic() - started < 5


def test_what_is_no_text_or_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    for content, fault in (
        (SVG.encode("latin-1"), Fault.DAMAGED),
        (gzip.compress(SVG.encode(), mtime=0)[:-20], Fault.DAMAGED),
        (gzip.compress(b" " * (LARGEST + 1), mtime=0), Fault.TOO_LARGE),
        (b"\x1f\x8bnonsense", Fault.DAMAGED),
    ):
        with pytest.raises(Unusable) as caught:
            parse_document(content)
        assert caught.value.fault is fault


def test_an_outside_entity_that_nobody_refers_to_is_not_read() -> None:
    assert tag_of(parse_document((dtd('a SYSTEM "file:///etc/passwd"') + SVG).encode())) == "svg"
