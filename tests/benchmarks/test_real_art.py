"""The comparison with resvg: what agrees has no share off ink, and what is missed or made up is found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmark_script import load_script

from lepbench.sketches.vector.reading import VectorDrawing, read_drawing

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
LINES = '<path fill="none" stroke="black" d="M10 10H90M10 50H90"/>'


@pytest.fixture(scope="module")
def real_art() -> Any:
    return load_script("real_art")


def test_what_agrees_and_what_does_not(real_art: Any) -> None:
    content = f"{HEAD}{LINES}</svg>".encode()
    both = read_drawing(content)
    assert real_art.compare(both, content) == (0, 0)
    one = VectorDrawing(both.strokes[:1], 100, 100, {})
    assert real_art.compare(one, content) == (0, 0.5)
    more = VectorDrawing((*both.strokes, np.array([[10.0, 80.0], [90.0, 80.0]])), 100, 100, {})
    off_ink, unexplained = real_art.compare(more, content)
    assert abs(off_ink - 1 / 3) < 0.01
    assert unexplained == 0


def test_folders_and_icon_sets_are_surveyed(real_art: Any, tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text(f"{HEAD}{LINES}<text>a</text></svg>")
    (tmp_path / "b.svg").write_text("<svg>")
    found = real_art.survey(tmp_path, limit=None, worst=1)
    assert (found["files"], set(found["unusable"]), found["unsupported"]) == (2, {"b.svg"}, {"<text>": 1})
    assert (found["off_ink"], found["unexplained"]) == (0, 0)
    icons = tmp_path / "icons.json"
    icons.write_text(json.dumps({"height": 100, "icons": {"x": {"body": LINES, "width": 100}}}))
    ((name, content),) = real_art.read_sources(icons)
    assert name == "x"
    assert len(read_drawing(content).strokes) == 2
