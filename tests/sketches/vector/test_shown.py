"""What a browser shows is drawn, and nothing else: snippets and a plot of Matplotlib against resvg."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rendering import distance_to, edges_of, render, render_size, sketch_of
from svg_snippets import BOX, BROWSERS_ONLY, CROSS, HEAD, HIDDEN, SHOWN

from lepbench.sketches.vector.reading import read_drawing

REACH = 13
"""Pixels of 512: half of the widest stroke of the snippets, and 3 for what rounding does."""


@pytest.mark.parametrize("name", HIDDEN)
def test_what_nobody_sees_is_no_stroke(name: str) -> None:
    alone = read_drawing(f"{HEAD}{CROSS}</svg>".encode()).strokes
    found = read_drawing(f"{HEAD}{HIDDEN[name]}{CROSS}</svg>".encode()).strokes
    assert len(found) == len(alone) == 2
    assert all(np.array_equal(one, other) for one, other in zip(found, alone, strict=True))


@pytest.mark.parametrize("name", sorted(HIDDEN.keys() - BROWSERS_ONLY))
def test_resvg_shows_nothing_of_it_either(name: str) -> None:
    pixels = render_size(f"{HEAD}{HIDDEN[name]}</svg>")
    assert np.abs(pixels - pixels[0, 0]).max() <= 1


@pytest.mark.parametrize("name", sorted(SHOWN.keys() - BROWSERS_ONLY))
def test_what_is_seen_is_drawn_where_it_is_seen(name: str) -> None:
    text = f"{HEAD}{SHOWN[name]}</svg>"
    edges, sketch = edges_of(render(text)), sketch_of(text)
    assert edges.any()
    assert distance_to(edges)[sketch].max() <= REACH
    assert distance_to(sketch)[edges].max() <= REACH


@pytest.mark.parametrize("name", sorted(SHOWN.keys() & BROWSERS_ONLY))
def test_what_browsers_alone_know_is_drawn_as_its_elder_form(name: str) -> None:
    elder = {
        "property of transform": f'<g transform="translate(10 5) rotate(10)">{BOX}/></g>',
        "properties of geometry": '<rect x="10" y="20" width="40" height="30"/>',
        "stroke of no scale": '<path fill="none" stroke="red" d="M10 5L90 45"/>',
    }
    found = read_drawing(f"{HEAD}{SHOWN[name]}</svg>".encode()).strokes
    (expected,) = read_drawing(f"{HEAD}{elder[name]}</svg>".encode()).strokes
    np.testing.assert_allclose(found[0], expected, atol=1e-9)


def plot() -> str:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4))
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    x = np.linspace(0, 10, 100)
    axes.plot(x, 1.5 * np.sin(x), label="sine")
    axes.scatter(x[::9], np.cos(x[::9]), color="red")
    axes.bar([2, 3], [0.5, 1], alpha=0.5)
    axes.set(xlim=(1, 8), ylim=(-1.2, 1.2), title="$x^2$")
    axes.grid()
    axes.legend()
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg")
    return buffer.getvalue()


@pytest.mark.slow
def test_a_plot_of_matplotlib_is_drawn_whole() -> None:
    text = plot()
    assert "<!DOCTYPE" in text
    assert "<use" in text
    pixels, sketch = render(text), sketch_of(text)
    ink = (255 - pixels).max(axis=2) > 8
    assert (distance_to(ink)[sketch] > 3).mean() < 1e-3
    assert (distance_to(sketch)[edges_of(pixels)] > 4).mean() < 0.01
