"""Style sheets as the CSS specification orders them, and inheritance."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from lepbench.sketches.vector.cascade import Style, cascade, inherit


def styles_of(text: str) -> dict[str, Style]:
    root = ElementTree.fromstring(text)
    return {element.get("id", ""): style for element, style in cascade(root).items()}


RULES = ("* {fill: blue}", ".a {fill: green}", "#p {fill: lime}", "path {fill: navy}", "path.a {fill: teal}")


@pytest.mark.parametrize(
    ("sheet", "attributes", "fill"),
    [
        ("", 'fill="red"', "red"),
        (RULES[0], 'fill="red"', "blue"),
        ("".join(RULES), 'class="a"', "lime"),
        ("".join(reversed(RULES)), 'class="a"', "lime"),
        (RULES[4] + RULES[1], 'class="a"', "teal"),
        (RULES[1] + RULES[1].replace("green", "red"), 'class="a"', "red"),
        ("".join(RULES), 'style="fill: aqua"', "aqua"),
        ("* {fill: blue !important}", 'style="fill: aqua"', "blue"),
        ("* {fill: blue !important}", 'style="fill: aqua !important"', "aqua"),
        (".a {fill: green !important} #p {fill: lime}", 'class="a"', "green"),
        ("@media screen {path {fill: blue}} @media print {path {fill: red}}", "", "blue"),
        ("@media (prefers-color-scheme: dark) {path {fill: white}}", 'fill="black"', "black"),
        ("@import url(http://127.0.0.1/a.css); path {fill: blue}", "", "blue"),
        ("path:hover {fill: red} path::before {fill: red} path:nth-child(2) {fill: blue}", "", "blue"),
        ("path {fill: nonsense; fill: } path ( {fill: red}", 'fill="blue"', "blue"),
        ("/* path {fill: red} */ g path, nothing {FILL: blue}", "", "blue"),
        ("svg > path {fill: red} g > path {fill: blue}", "", "blue"),
        ("path:not(.a) {fill: red} path:not(.b) {fill: blue}", 'class="a"', "blue"),
    ],
)
def test_the_fill_that_wins(sheet: str, attributes: str, fill: str) -> None:
    text = f'<svg><style><![CDATA[{sheet}]]></style><g><g/><path id="p" {attributes}/></g></svg>'
    assert styles_of(text)["p"].get("fill") == fill


def test_what_is_inherited_and_what_is_not() -> None:
    parent = {"fill": "red", "opacity": "0", "x": "3", "visibility": "hidden", "--x": "lime", "width": "9"}
    assert inherit({}, parent) == {"fill": "red", "visibility": "hidden", "--x": "lime"}
    assert inherit({"fill": "blue"}, parent)["fill"] == "blue"
    assert inherit({"fill": "inherit", "opacity": "inherit"}, parent)["opacity"] == "0"
    assert "fill" not in inherit({"fill": "initial"}, parent)
    assert inherit({"fill": "unset"}, parent)["fill"] == "red"
    assert inherit({"fill": "var(--x, blue)"}, parent)["fill"] == "lime"
    assert inherit({"fill": "var(--y, rgb(1, 2, 3))"}, parent)["fill"] == "rgb(1, 2, 3)"
    assert inherit({"fill": "var(--z)", "--z": "navy"}, parent)["fill"] == "navy"


def test_keywords_are_in_lower_case_and_other_sheets_are_passed_over() -> None:
    text = '<svg><style type="text/less">path{display:none}</style><path id="p" visibility="HIDDEN"/></svg>'
    assert styles_of(text)["p"] == {"id": "p", "visibility": "hidden"}
