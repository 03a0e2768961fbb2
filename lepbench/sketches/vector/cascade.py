"""Properties of SVG elements: attributes, style sheets and inline styles in CSS order, and inheritance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

import cssselect2
import tinycss2
from tinycss2 import color4

from lepbench.sketches.vector.markup import tag_of

Style = dict[str, str]
"""Properties, and with them the attributes of the element, by name."""
INHERITED = frozenset((
    "clip-rule", "color", "fill", "fill-opacity", "fill-rule", "font-size", "marker-end", "marker-mid",
    "marker-start", "stroke", "stroke-dasharray", "stroke-linecap", "stroke-opacity", "stroke-width",
    "visibility",
))  # fmt: skip
KEYWORDS = frozenset((
    "clip-rule", "display", "fill-rule", "mask-type", "mix-blend-mode", "overflow", "stroke-linecap",
    "vector-effect", "visibility",
))  # fmt: skip
MEDIA = frozenset(("", "all", "screen"))
VARIABLE = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,([^()]*(?:\([^()]*\))?[^()]*))?\)")
SHORTHAND = {"marker": ("marker-start", "marker-mid", "marker-end")}


class Declaration(NamedTuple):
    """A property as a style sheet or an inline style sets it."""

    name: str
    value: str
    important: bool


def cascade(root: Element) -> dict[Element, Style]:
    """What attributes, style sheets and inline styles say of every element.

    Source: CSS Cascading and Inheritance 4, sections 6.1 and 6.4.
    """
    sheet = "\n".join(_sheets(root))
    matcher = cssselect2.Matcher()
    for selectors, declarations in read_rules(tinycss2.parse_stylesheet(sheet, True, True)):
        for selector in selectors:
            matcher.add_selector(selector, declarations)
    if not sheet:
        return {element: _merged(element, []) for element in root.iter()}
    wrappers = cssselect2.ElementWrapper.from_xml_root(root).iter_subtree()
    return {
        wrapper.etree_element: _merged(wrapper.etree_element, matcher.match(wrapper)) for wrapper in wrappers
    }


def _sheets(root: Element) -> Iterator[str]:
    for element in root.iter():
        if tag_of(element) == "style" and element.get("type", "text/css").strip() in ("", "text/css"):
            yield "".join(element.itertext())


def read_rules(rules: list[Any]) -> Iterator[tuple[list[Any], list[Declaration]]]:
    """The selectors and declarations of a style sheet's rules; what is not understood is passed over."""
    for rule in rules:
        if rule.type == "at-rule" and rule.lower_at_keyword == "media" and rule.content is not None:
            if tinycss2.serialize(rule.prelude).strip().lower() in MEDIA:
                yield from read_rules(tinycss2.parse_rule_list(rule.content, True, True))
        elif rule.type == "qualified-rule":
            try:
                selectors = cssselect2.compile_selector_list(rule.prelude)
            except cssselect2.SelectorError:
                continue
            yield selectors, read_declarations(rule.content)


def read_declarations(content: Any) -> list[Declaration]:
    """The declarations of a rule or of an inline style, in order."""
    parsed = tinycss2.parse_blocks_contents(content, True, True)
    return [
        Declaration(name, tinycss2.serialize(one.value).strip(), one.important)
        for one in parsed
        if one.type == "declaration"
        for name in SHORTHAND.get(
            one.lower_name, (one.name if one.name.startswith("--") else one.lower_name,)
        )
    ]


def _merged(element: Element, matches: list[Any]) -> Style:
    ruled = [one for _, _, pseudo, found in matches if pseudo is None for one in found]
    inline = read_declarations(element.get("style", ""))
    attributes = [Declaration(name, value.strip(), important=False) for name, value in element.attrib.items()]
    style: Style = {}
    for declared, important in (
        (attributes, False),
        (ruled, False),
        (inline, False),
        (ruled, True),
        (inline, True),
    ):
        style |= {one.name: one.value for one in declared if one.important is important and is_valid(one)}
    return {name: value.lower() if name in KEYWORDS else value for name, value in style.items()}


def is_valid(declared: Declaration) -> bool:
    """Whether a paint is one: others are as if they were not there. Other properties have defaults."""
    if declared.name not in ("fill", "stroke", "color"):
        return True
    value = declared.value.lower()
    plain = value.startswith(("url(", "var(")) or value in ("none", "inherit", "initial", "unset")
    return plain or color4.parse_color(value) is not None


def inherit(style: Style, parent: Style) -> Style:
    """An element's properties with those of its parent that are inherited, and variables replaced."""
    passed_on = {name: value for name, value in parent.items() if name in INHERITED or name[:2] == "--"}
    merged = {**passed_on, **style}
    for name, value in style.items():
        if "var(" in value:
            value = merged[name] = VARIABLE.sub(lambda found: _variable(found, merged), value).strip()
        if value == "inherit" or (value == "unset" and name in INHERITED):
            merged[name] = parent.get(name, "")
        if merged[name] in ("", "initial", "unset"):
            del merged[name]
    return merged


def _variable(found: re.Match[str], style: Style) -> str:
    return style.get(found[1], (found[2] or "").strip())
