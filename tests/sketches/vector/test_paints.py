"""Paints: colours of CSS, gradients by their stops, fallbacks."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from lepbench.sketches.vector.cascade import cascade
from lepbench.sketches.vector.paints import Paint, Paints, find_background, parse_colour

DOCUMENT = """<svg>
<linearGradient id="two"><stop stop-color="#f00"/>
<stop style="stop-color: #00f; stop-opacity: 0.5"/></linearGradient>
<linearGradient id="heir" href="#two"/><linearGradient id="none"/><linearGradient id="loop" href="#loop"/>
<pattern id="pattern"/><rect id="rect"/>
</svg>"""
ROOT = ElementTree.fromstring(DOCUMENT)
PAINTS = Paints({element.get("id", ""): element for element in ROOT.iter()}, cascade(ROOT))
MEAN = (127.5, 0, 127.5, 0.75)


@pytest.mark.parametrize(
    ("value", "paint"),
    [
        ("red", (255, 0, 0, 1)),
        ("#0F08", (0, 255, 0, 136 / 255)),
        ("rgb(10% 20% 30% / 40%)", (25.5, 51, 76.5, 0.4)),
        ("currentColor", (0, 0, 255, 1)),
        ("none", None),
        ("transparent", None),
        ("url(#two)", MEAN),
        ("url('#heir') red", MEAN),
        ("url(#none)", None),
        ("url(#loop)", None),
        ("url(#rect) lime", (0, 255, 0, 1)),
        ("url(#missing)", None),
        ("url(two)", None),
        ("url(other.svg#two)", None),
        ("url(#pattern)", (127, 127, 127, 1)),
        ("lab(50% 20 20 / 0.5)", (127, 127, 127, 0.5)),
    ],
)
def test_paints(value: str, paint: tuple[float, ...] | None) -> None:
    found = PAINTS.resolve({"fill": value, "color": "blue"}, "fill", "black")
    assert found == (None if paint is None else pytest.approx(paint))


def test_opacities_are_multiplied() -> None:
    found = PAINTS.resolve({"stroke": "rgba(0, 0, 0, .5)", "stroke-opacity": "50%"}, "stroke", "none")
    assert found == Paint(0, 0, 0, alpha=0.25)
    assert PAINTS.resolve({"stroke": "red", "stroke-opacity": "0"}, "stroke", "none") is None
    assert PAINTS.resolve({}, "stroke", "none") is None


def test_a_colour_that_refers_to_itself_is_black_and_a_background_is_a_colour() -> None:
    assert parse_colour("currentColor", {"color": "currentColor"}) == Paint(0, 0, 0, alpha=1)
    assert find_background({"background": "white"}) == Paint(255, 255, 255, alpha=1)
    assert find_background({"background": "url(a.png)"}) is None
    assert find_background({}) is None
