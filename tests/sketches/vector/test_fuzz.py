"""Whatever a document says, it is drawn or refused in one line, without a warning."""

from __future__ import annotations

import warnings
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lepbench.sketches import Unusable
from lepbench.sketches.vector.reading import read_drawing

VALUES = st.sampled_from([
    "", "none", "inherit", "auto", "0", "-1", "50", "1e9", "1e308", "1e999", "nan", "50%", "-20%",
    "3em", "2foo", "red", "white", "#fff", "#12", "rgb(1,2", "url(#a)", "url(#b) none", "url(",
    "currentColor", "var(--x, red)", "hidden", "visible", "evenodd", "round", "1 2 3",
    "5 5 60 60 20 90 9", "0 0 10 10", "0 0 0 0", "100", "10,,20", "M0 0L50 50",
    "m5 5a5 5 0 1 1 9 9z", "M10 10 C 1 2", "M0 0Q9 9 1e200 5T3 3", "z", "M1 1zl9 9z",
    "lab(50% 9 9)", "scale(0)", "rotate(30) translate(5)", "scale(1e200)", "matrix(1 0 0 1 5%)",
    "skewX(90)", "#a", "#b", "#c", "#d",
])  # fmt: skip
NAMES = st.sampled_from([
    "d", "points", "x", "y", "width", "height", "rx", "ry", "r", "cx", "cy", "x1", "y2",
    "transform", "viewBox", "preserveAspectRatio", "fill", "stroke", "stroke-width", "opacity",
    "stroke-opacity", "display", "visibility", "clip-path", "mask", "href", "stroke-linecap",
    "fill-rule", "color", "transform-origin", "overflow", "offset", "clipPathUnits",
    "vector-effect", "stroke-dasharray", "marker-end", "stop-color", "background", "--x",
])  # fmt: skip
TAGS = st.sampled_from([
    "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "g", "use", "svg", "symbol",
    "defs", "clipPath", "mask", "linearGradient", "stop", "text", "switch", "a", "pattern",
])  # fmt: skip
IDS = st.sampled_from("abcd")


def write(tag: str, identity: str, attributes: dict[str, str], inside: str) -> str:
    given_ = {"id": identity, **{name: value for name, value in attributes.items() if name != "--x"}}
    text = " ".join(f"{name}={quoteattr(value)}" for name, value in given_.items())
    return f"<{tag} {text}>{inside}</{tag}>"


attributes = st.dictionaries(NAMES, VALUES, max_size=6)
leaf = st.builds(write, TAGS, IDS, attributes, st.just(""))
element = st.recursive(
    leaf,
    lambda inner: st.builds(write, TAGS, IDS, attributes, st.lists(inner, max_size=4).map("".join)),
    max_leaves=12,
)
root = st.builds(
    write, st.just("svg"), IDS, attributes, st.lists(element, min_size=1, max_size=4).map("".join)
)
selector = TAGS | st.sampled_from(["*", "#a", "(", "g > :not("])
rule = st.builds(lambda chosen, name, value: f"{chosen}{{{name}:{value}}}", selector, NAMES, VALUES)
sheet = st.lists(rule, max_size=4).map(lambda rules: f"<style>{escape(''.join(rules))}</style>")


@pytest.mark.slow
@settings(max_examples=150)
@example('<svg x="1e999"><path d="M0 0L5 5" stroke="red"/></svg>', "")
@example('<svg><svg x="1e999"><path d="M0 0L5 5" stroke="red"/></svg></svg>', "")
@example('<svg><svg width="1e300"><path d="M0 0L5 5" transform="scale(9)" stroke="red"/></svg></svg>', "")
@example('<svg><path d="M0 0Q9 9 1e200 5T3 3" stroke="red"/></svg>', "")
@example('<svg><path d="M0 0Q1e308 -1e308 -1e308 1e308" stroke="red"/></svg>', "")
@given(root, sheet)
def test_any_document_is_drawn_or_refused(text: str, rules: str) -> None:
    content = text.replace("</svg>", f"{rules}</svg>", 1).encode()
    detail = ""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            lines = read_drawing(content).strokes
        except Unusable as refused:
            lines, detail = (), refused.detail
    assert "\n" not in detail
    assert lines or detail
    assert all(np.isfinite(line).all() and line.shape[1] == 2 and len(line) >= 2 for line in lines)
