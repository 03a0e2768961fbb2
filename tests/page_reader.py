"""An HTML page read strictly: what is open is closed, and nothing comes from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

VOID = {"meta", "img", "input", "link", "br", "hr"}
DRAWN = {"line", "circle"}
"""Tags of SVG that close themselves."""
OUTSIDE = re.compile(r"^(https?:)?//")
SOURCES = ("src", "href", "srcset", "action", "poster", "data")


@dataclass
class Element:
    """A tag with its attributes, and the text in it."""

    tag: str
    given: dict[str, str]
    text: str = ""
    within: list[str] = field(default_factory=list)


class PageReader(HTMLParser):
    """Reads a page into `elements`; what is wrong with it goes to `faults`."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.faults: list[str] = []
        self._open: list[Element] = []
        self.feed(page)
        self.close()
        self.faults += [f"<{one.tag}> is not closed" for one in self._open]
        if not page.startswith("<!doctype html>\n"):
            self.faults.append("no doctype")
        self._look_at_elements()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = Counter(name for name, _ in attrs)
        self.faults += [f"<{tag}> has {name} twice" for name, count in names.items() if count > 1]
        element = Element(tag, {k: v or "" for k, v in attrs}, within=[one.tag for one in self._open])
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in DRAWN:
            self.faults.append(f"<{tag}/> closes itself")
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            self.faults.append(f"</{tag}> closes {self._open[-1].tag if self._open else 'nothing'}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for one in self._open:
            one.text += data

    def _look_at_elements(self) -> None:
        ids = Counter(one.given["id"] for one in self.elements if "id" in one.given)
        self.faults += [f"id {name!r} stands {count} times" for name, count in ids.items() if count > 1]
        for one in self.elements:
            said = f"<{one.tag} {one.given}>"[:200]
            self.faults += [f"{said} runs {name}" for name in one.given if name.startswith("on")]
            self.faults += [f"{said} has a style" for name in one.given if name == "style"]
            if one.tag == "img" and not one.given.get("alt"):
                self.faults.append(f"{said} has no alt")
            if any(OUTSIDE.match(one.given.get(name, "")) for name in SOURCES):
                self.faults.append(f"{said} is from elsewhere")
            named = [*one.given.get("aria-labelledby", "").split(), *_read_fragment(one)]
            self.faults += [f"{said} speaks of #{name}" for name in named if name not in ids]
        self.faults += self._compare_policy()

    def _compare_policy(self) -> list[str]:
        """Styles and scripts that the page's own policy does not name by their hash."""
        policy = next(one.given["content"] for one in self.find("meta") if "http-equiv" in one.given)
        texts = [one.text for one in self.find("style")]
        texts += [one.text for one in self.find("script") if "type" not in one.given]
        hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
        faults = [
            f"the policy forbids a script or style {one}" for one in hashes if f"sha256-{one}" not in policy
        ]
        if "default-src 'none'" not in policy or "unsafe" in policy or "http" in policy:
            faults.append(f"the policy is {policy}")
        return faults

    def find(self, tag: str, **given: Any) -> list[Element]:
        """The elements of a tag with some attributes, `_` standing for `-` and a last `_` for nothing."""
        asked = {name.rstrip("_").replace("_", "-"): value for name, value in given.items()}
        return [
            one
            for one in self.elements
            if one.tag == tag and all(one.given.get(name) == value for name, value in asked.items())
        ]

    def list_links(self, page: Path) -> list[Path]:
        """The files beside a page that it shows or leads to."""
        from urllib.parse import unquote

        named = (one.given.get(name, "") for one in self.elements for name in ("src", "href"))
        kept = (name.partition("#")[0] for name in named if not name.startswith("data:"))
        return [page.parent / unquote(name) for name in kept if name]


def _read_fragment(element: Element) -> list[str]:
    link = element.given.get("href", "")
    return [link[1:]] if element.tag == "a" and link.startswith("#") else []
