"""A file as a whole: its canvas, what `<use>` costs, what lacks, and what is cut off."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from svg_snippets import HEAD

from lepbench.sketches import Fault, Unusable
from lepbench.sketches.vector import interpreter
from lepbench.sketches.vector.reading import VectorDrawing, read_drawing

PEN = 'fill="none" stroke="black"'


def read(text: str) -> VectorDrawing:
    return read_drawing(text.encode())


@pytest.mark.parametrize(
    ("attributes", "size", "first"),
    [
        ('viewBox="0 0 100 50"', (100, 50), (10, 10)),
        ('viewBox="-10 -20 100 50"', (100, 50), (20, 30)),
        ('viewBox="0,0,100,50" width="200"', (200, 100), (20, 20)),
        ('viewBox="0 0 100 50" height="25"', (50, 25), (5, 5)),
        ('viewBox="0 0 100 50" width="100%" height="100%"', (100, 50), (10, 10)),
        ('viewBox="0 0 100 50" width="1in" height="auto"', (96, 48), (9.6, 9.6)),
        ('viewBox="0 0 100 50" width="100" height="100"', (100, 100), (10, 35)),
        ('viewBox="0 0 100 50" width="100" height="100" preserveAspectRatio="none"', (100, 100), (10, 20)),
        (
            'viewBox="0 0 100 50" width="100" height="100" preserveAspectRatio="xMidYMin"',
            (100, 100),
            (10, 10),
        ),
        ('width="72pt" height="25.4mm"', (96, 96), (10, 10)),
        ('style="width:80px;height:60px"', (80, 60), (10, 10)),
        ('viewBox="0 0 100" width="60" height="60"', (60, 60), (10, 10)),
        ("", (20, 30), (0, 0)),
        ('width="100%" height="100%"', (20, 30), (0, 0)),
        ('width="60"', (20, 30), (0, 0)),
    ],
)
def test_canvases(attributes: str, size: tuple[float, float], first: tuple[float, float]) -> None:
    found = read(f'<svg {attributes}><path {PEN} d="M10 10L30 40"/></svg>')
    assert (found.width, found.height) == pytest.approx(size)
    assert tuple(found.strokes[0][0]) == pytest.approx(first)


@pytest.mark.parametrize("attributes", ['viewBox="0 0 0 0"', 'width="0" height="9"', 'viewBox="0 0 9 -9"'])
def test_a_canvas_of_no_size_is_refused(attributes: str) -> None:
    with pytest.raises(Unusable, match="a canvas of"):
        read(f'<svg {attributes}><path {PEN} d="M10 10L30 40"/></svg>')


def nest(depth: int, width: int) -> str:
    uses = [f'<use href="#g{i}"/>' * width for i in range(depth)]
    groups = "".join(f'<g id="g{i}">{inside}</g>' for i, inside in enumerate(uses, start=1))
    return f'{HEAD}<defs><path id="g0" {PEN} d="M1 1h9"/>{groups}</defs><use href="#g{depth}"/></svg>'


@pytest.mark.parametrize(
    ("text", "fault", "word"),
    [
        (f'{HEAD}<g id="a"><use href="#a"/></g></svg>', Fault.DAMAGED, "refers to itself"),
        (f'{HEAD}<use id="a" href="#b"/><use id="b" href="#a"/></svg>', Fault.DAMAGED, "refers to itself"),
        (f'{HEAD}<clipPath id="a"><rect clip-path="url(#a)"/></clipPath><g clip-path="url(#a)"/></svg>',
         Fault.DAMAGED, "refers to itself"),
        (f'{HEAD}<mask id="a"><g mask="url(#a)"/></mask><g mask="url(#a)"/></svg>', Fault.DAMAGED,
         "refers to itself"),
        (f"{HEAD}{'<g>' * 4000}{'</g>' * 4000}</svg>", Fault.TOO_LARGE, "inside one another"),
        (f"<svg><style>{':not(' * 5000}</style></svg>", Fault.EMPTY, "no shape"),
        (f"{HEAD}<path {PEN} d='{'M0 0L99 99 0 99 99 0' * 700}'/></svg>", Fault.TOO_LARGE, "too long"),
        (f"{HEAD}<text>a</text><image/></svg>", Fault.EMPTY, "1 <image> not drawn, 1 <text> not"),
        (f'{HEAD}<rect width="9" height="9" fill="white"/></svg>', Fault.EMPTY, "none is seen"),
        (f'{HEAD}<path {PEN} transform="scale(1e300)" d="M1 1h9"/></svg>', Fault.DAMAGED, "transform"),
    ],
)  # fmt: skip
def test_what_is_refused_says_why_and_at_once(text: str, fault: Fault, word: str) -> None:
    started = time.monotonic()
    with pytest.raises(Unusable, match=word) as caught:
        read(text)
    assert caught.value.fault is fault
    assert time.monotonic() - started < 20


def test_use_is_resolved_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(read(nest(2, 10)).strokes) == 100
    monkeypatch.setattr(interpreter, "MOST_ELEMENTS", 3000)
    with pytest.raises(Unusable, match="more than 3000 elements are drawn"):
        read(nest(9, 10))


@pytest.mark.parametrize(
    ("text", "name", "count"),
    [
        ('<text> </text><text>a</text><text display="none">b</text><text visibility="hidden">c</text>',
         "<text>", 1),
        ('<image href="a.png"/><foreignObject/>', "<image>", 1),
        (f'<path {PEN} d="M1 1h9" stroke-dasharray="4 2"/>', "stroke-dasharray", 1),
        (f'<g stroke-dasharray="4"><path {PEN} d="M1 1h9"/><path {PEN} d="M1 3h9"/></g>',
         "stroke-dasharray", 2),
        (f'<path {PEN} d="M1 1h9" marker-end="url(#m)"/>', "marker", 1),
        (f'<path {PEN} d="M1 1h9" style="marker:url(#m)"/>', "marker", 1),
        ('<g filter="url(#f)"/>', "filter", 1),
        ('<g style="mix-blend-mode:multiply"/>', "mix-blend-mode", 1),
        ('<pattern id="p"/><rect width="9" height="9" fill="url(#p)"/>', "pattern", 1),
        ('<g clip-path="circle(5px)"/>', "clip-path that is no reference", 1),
        ('<clipPath id="c" clipPathUnits="objectBoundingBox"/><g clip-path="url(#c)"/>',
         "clip-path in shares of its element", 1),
        ('<use href="a.svg#b"/>', "<use> of another file", 1),
        ('<g transform="rotate(9)" transform-origin="center" style="transform-box:fill-box"/>',
         "transform-box", 1),
    ],
)  # fmt: skip
def test_what_is_not_drawn_is_counted(text: str, name: str, count: int) -> None:
    assert read(f'{HEAD}{text}<path {PEN} d="M50 50h9"/></svg>').unsupported == {name: count} | (
        {"<foreignObject>": 1} if "foreign" in text else {}
    )


def test_what_would_change_nothing_is_not_counted() -> None:
    text = '<text> </text><g transform="none" style="transform-box:fill-box;transform-origin:center"/>'
    assert not read(f'{HEAD}{text}<path {PEN} d="M50 50h9"/></svg>').unsupported


def test_a_line_seen_in_part_is_cut() -> None:
    cover = '<rect x="40" y="30" width="20" height="40" fill="white"/>'
    first, second = read(f'{HEAD}<path {PEN} d="M10 50H90"/>{cover}</svg>').strokes
    np.testing.assert_allclose(first, [(10, 50), (40, 50)], atol=0.3)
    np.testing.assert_allclose(second, [(60, 50), (90, 50)], atol=0.3)


def test_many_shapes_in_one_clip_are_not_too_much() -> None:
    dots = "".join(f'<circle cx="{5 + i % 60}" cy="{5 + i // 60}" r=".3"/>' for i in range(600))
    clip = '<clipPath id="c"><path d="M0 0H99V99H0z"/></clipPath>'
    assert len(read(f'{HEAD}{clip}<g clip-path="url(#c)">{dots}</g></svg>').strokes) == 600


def test_far_corners_are_cut_at_the_canvas() -> None:
    (line,) = read(f'{HEAD}<path {PEN} d="M50 50L1e6 1e6"/></svg>').strokes
    np.testing.assert_allclose(line, [(50, 50), (100, 100)], atol=0.3)


@pytest.mark.slow
@settings(max_examples=4)
@given(st.integers(0, 2**32 - 1))
def test_scribbles_over_one_another_are_kept_as_they_are(seed: int) -> None:
    lines = np.random.default_rng(seed).uniform(0, 100, (5, 30, 2)).round(3)
    paths = "".join(f'<polyline points="{" ".join(map(str, line.ravel()))}"/>' for line in lines)
    found = read(f"{HEAD}<g {PEN}>{paths}</g></svg>").strokes
    assert len(found) == len(lines)
    for one, line in zip(found, lines, strict=True):
        np.testing.assert_allclose(one, line)


def test_translucent_lines_that_cross_are_whole() -> None:
    lines = "".join(
        f'<path {PEN} stroke-width="5" stroke-opacity=".6" d="M10 {y}L90 {100 - y}"/>' for y in (10, 60)
    )
    assert [len(line) for line in read(f"{HEAD}{lines}</svg>").strokes] == [2, 2]


def test_a_fill_has_one_closed_outline_and_a_stroke_ends_where_it_does() -> None:
    corner = 'd="M10 10L90 10L50 90"'
    (outline,) = read(f"{HEAD}<path {corner}/></svg>").strokes
    assert outline.tolist() == [[10, 10], [90, 10], [50, 90], [10, 10]]
    (line,) = read(f'{HEAD}<path fill="white" stroke="black" {corner}/></svg>').strokes
    assert line.tolist() == [[10, 10], [90, 10], [50, 90]]
    line, edge = read(f'{HEAD}<path fill="red" stroke="black" {corner}/></svg>').strokes
    assert line.tolist() == [[10, 10], [90, 10], [50, 90]]
    np.testing.assert_allclose(edge, [(50, 90), (10, 10)], atol=1)


def test_areas_of_one_colour_have_one_outline() -> None:
    two = '<rect x="10" y="10" width="50" height="40"/><rect x="40" y="20" width="50" height="60"/>'
    found = np.concatenate(read(f"{HEAD}{two}</svg>").strokes)
    inside = ((found > (42, 22)) & (found < (58, 48))).all(axis=1)
    assert not inside.any()


def test_the_background_of_the_root_is_the_ground() -> None:
    line = '<path fill="none" stroke="white" stroke-width="9" d="M10 50H90"/>'
    ground = HEAD.replace("<svg", '<svg style="background: #123"')
    np.testing.assert_array_equal(read(f"{ground}{line}</svg>").strokes, [[(10, 50), (90, 50)]])
    unsized = read(f'<svg style="background-color: black">{line}</svg>')
    assert len(unsized.strokes) == 1
    assert (unsized.width, unsized.height) == (80, 1)
    with pytest.raises(Unusable, match="none is seen"):
        read(f"{HEAD}{line}</svg>")


@pytest.mark.parametrize("ground", ["navy", "white"])
def test_the_border_of_a_canvas_that_is_filled_is_no_line(ground: str) -> None:
    stripe = '<rect y="30" width="100" height="40" fill="red"/>'
    found = read(f'{HEAD}<path fill="{ground}" d="M0 0h100v100H0z"/>{stripe}</svg>').strokes
    ends = {tuple(end) for line in found for end in line.round().tolist()}
    assert ends == {(0, 30), (100, 30), (100, 70), (0, 70)}
    assert len(found) == (2 if ground == "navy" else 1)


def test_a_gap_in_the_colour_of_the_ground_is_outlined() -> None:
    field = '<rect x="10" y="10" width="80" height="80" fill="red"/>'
    gap = '<path fill="none" stroke="white" stroke-width="10" d="M20 50H80"/>'
    found = np.concatenate(read(f"{HEAD}{field}{gap}</svg>").strokes[1:])
    assert np.abs(np.abs(found[:, 1] - 50).max() - 5) < 0.3
    assert np.abs(found[:, 0] - 50).max() <= 35.3
