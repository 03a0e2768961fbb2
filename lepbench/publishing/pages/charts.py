"""A plot as a picture that stands in a page, light or dark as the reader's system is."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from lepbench.evaluation.figures import Figure
from lepbench.publishing.pages.html import make_data_address
from lepbench.publishing.plots import COLOURS, GRID, CurvePanel, Panel, draw_panels

DARK = ("#5fb0e5", "#f08a72", "#f0c060", "#8ccf7a", "#b99ae0", "#7fd4ea", "#d0a48e", "#f0a3c4")
"""The colours of curves on a dark page, in the order of `COLOURS`."""
INK, DARK_INK, DARK_GRID = "#1f2328", "#d6dae0", "#363b43"
BLACK = "#000000"
FONT = re.compile(r"font: ([\d.]+)px [^;\"]+")


@dataclass(frozen=True)
class Chart:
    """A plot in a page.

    Attributes:
        title: what heads it.
        address: the picture itself.
        described: what it shows, for those who do not see it.
    """

    title: str
    address: str
    described: str


def draw_chart(panel: Panel) -> Chart:
    """A panel as a chart."""
    import matplotlib

    stream = io.StringIO()
    # Letters stay letters: smaller, sharp at any size, and in the reader's font.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "lepbench"}):
        canvas = draw_panels([panel])
        canvas.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    address = make_data_address(_adapt(stream.getvalue()).encode(), "image/svg+xml")
    return Chart(panel.title, address, _describe(panel))


def _adapt(svg: str) -> str:
    """A plot whose colours follow the system's, in its font."""
    light = {"ink": INK, "grid": GRID, **{f"c{n}": colour for n, colour in enumerate(COLOURS)}}
    dark = {"ink": DARK_INK, "grid": DARK_GRID, **{f"c{n}": colour for n, colour in enumerate(DARK)}}
    svg = svg[svg.index("<svg") :].replace(BLACK, "var(--ink)")
    for name, colour in light.items():
        svg = svg.replace(colour, f"var(--{name})")
    svg = FONT.sub(r"font: \1px system-ui, sans-serif", svg)
    style = (
        f":root{{{_declare(light)}}}text{{fill:var(--ink)}}"
        f"@media (prefers-color-scheme: dark){{:root{{{_declare(dark)}}}}}"
    )
    return svg.replace("<defs>", f"<defs><style>{style}</style>", 1)


def _declare(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in colours.items())


def _describe(panel: Panel) -> str:
    said = []
    if not isinstance(panel, CurvePanel):
        members = ", ".join(panel.whole.members)
        count = len(panel.whole.names)
        return f"{panel.axes[1]} over {panel.axes[0]} of {count} models; on the front: {members}"
    for curve in panel.curves:
        ends = [_say(curve.values[0]), _say(curve.values[-1])]
        said.append(f"{curve.label} from {ends[0]} to {ends[1]}")
    return f"{panel.title} over {panel.axes[0]}: {'; '.join(said)}"


def _say(figure: Figure) -> str:
    return "nothing" if figure.value is None else f"{figure.value:z.3f}"
