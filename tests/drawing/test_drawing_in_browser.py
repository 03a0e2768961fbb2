"""The drawing page in a headless Chromium: a picture follows the pen, and what was drawn is kept."""

from __future__ import annotations

import base64
import io
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from browser import PHONE, WAIT_MS, find_faults, needs_chromium, open_browser, open_page
from drawing_server import serve
from PIL import Image

from lepbench.detectors import Canny
from lepbench.drawing.artist import Artist
from lepbench.drawing.offer import list_live, list_models
from lepbench.drawing.tracing import GRID
from lepbench.images import Pixels, to_tensor
from lepbench.metrics.edges import edge_counts, precision_recall_f1

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [needs_chromium, pytest.mark.slow]
Lines = list[list[tuple[float, float]]]
TURN = np.linspace(0, 2 * np.pi, 25)
FISH: Lines = [
    [(0.45 - 0.25 * math.cos(angle), 0.5 - 0.17 * math.sin(angle)) for angle in TURN],
    [(0.7, 0.5), (0.88, 0.35), (0.88, 0.65), (0.7, 0.5)],
]
"""A red fish is what the page's first prompt asks for."""
SQUARE: Lines = [[(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75), (0.25, 0.25)]]
HOSTILE = '<img src=x onerror="document.title=1">'


@pytest.fixture(scope="module")
def artist() -> Artist:
    return Artist(list_models([]), list_live([]), "cpu")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def address(artist: Artist, tmp_path: Path) -> Iterator[str]:
    with serve(artist, tmp_path / "drawings") as found:
        yield found


def open_ready(browser: Browser, address: str, *, rests: bool = False, **look: Any) -> Page:
    """The page once its models are loaded."""
    page, heard = open_page(browser, address, **look)
    wait_for(page, "#status", "draw something")
    page.set_checked("#rest", rests)
    assert heard.messages == []
    assert all(one.startswith((address, "data:")) for one in heard.requests)
    return page


def wait_for(page: Page, selector: str, text: str) -> None:
    from playwright.sync_api import expect

    expect(page.locator(selector)).to_contain_text(text, timeout=WAIT_MS)


def draw(page: Page, lines: Lines) -> None:
    """Draw lines of the unit square by the mouse."""
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    for line in lines:
        corners = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in line]
        page.mouse.move(*corners[0])
        page.mouse.down()
        for corner in corners[1:]:
            page.mouse.move(*corner, steps=3)
        page.mouse.up()


def read_picture(page: Page) -> Pixels:
    """The picture that is shown."""
    address = page.locator("#first .picture").get_attribute("src") or ""
    content = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def wait_for_live(page: Page) -> Pixels:
    """The live picture of what was drawn or chosen last."""
    asked = page.locator("#canvas").get_attribute("data-asked")
    page.locator(f"#first[data-number='{asked}']").wait_for()
    return read_picture(page)


def export(page: Page, kind: str) -> bytes:
    with page.expect_download() as saved:
        page.select_option("#export", kind)
    return saved.value.path().read_bytes()


def measure_f1(picture: Pixels, sketch: np.ndarray, tolerance: float) -> float:
    """Edge F1 of a picture against a sketch, at a tolerance in px."""
    found = Canny(low=0.3, high=0.6)(to_tensor(picture[None]))
    counts = edge_counts(found, torch.tensor(sketch)[None], (tolerance,))
    return float(precision_recall_f1(counts).f1.item())


def test_a_drawing_is_followed_exported_and_kept(browser: Browser, artist: Artist, tmp_path: Path) -> None:
    with serve(artist, tmp_path / "drawings") as address:
        page = open_ready(browser, address)
        page.fill("#seed", "1")
        draw(page, FISH)
        followed = wait_for_live(page)
        assert "ms after the stroke" in page.inner_text("#status")
        with zipfile.ZipFile(io.BytesIO(export(page, "command"))) as archive:
            sketch = np.asarray(Image.open(archive.open("sketch.png")).convert("L")) < 128
            assert archive.read("draw.sh").startswith(b"lepbench sample --model model.yaml --prompt")
        assert measure_f1(followed, sketch, 2.0) > 0.7
        assert measure_f1(followed, np.roll(sketch, 12, axis=0), 2.0) < 0.5
        page.click("#better")
        page.locator("#history button").wait_for()
        better = read_picture(page)
        assert measure_f1(better, sketch, 1.0) > 0.7
        page.close()
    with serve(artist, tmp_path / "drawings") as address:
        page = open_ready(browser, address)
        page.locator("#history button").click()
        wait_for(page, "#first figcaption", "kept")
        assert page.input_value("#seed") == "1"
        kept = page.request.get(address + str(page.locator("#first .picture").get_attribute("src"))).body()
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(kept)).convert("RGB")), better)
        assert export(page, "svg").count(b"<polyline") == len(FISH)
        page.close()


def test_a_weight_is_changed_and_undone(browser: Browser, address: str) -> None:
    page = open_ready(browser, address)
    draw(page, [*SQUARE, [(0.3, 0.5), (0.7, 0.5)]])
    first = wait_for_live(page)
    page.click("#select")
    page.locator("#canvas").focus()
    page.keyboard.press("ArrowLeft")
    wait_for(page, "#whose", "stroke 2")
    page.locator("#weight").focus()
    page.keyboard.press("Home")
    assert page.inner_text("#weight-shown") == "0"
    assert not np.array_equal(first, wait_for_live(page))
    page.locator("#canvas").focus()
    page.keyboard.press("Control+z")
    # By the same seed the same drawing has the same picture.
    assert np.array_equal(first, wait_for_live(page))
    page.close()


def test_two_pages_draw_at_once_and_one_that_vanishes_disturbs_no_other(
    browser: Browser, address: str
) -> None:
    pages = [open_ready(browser, address) for _ in range(3)]
    for page, shift in zip(pages, (0.0, 0.05, -0.05), strict=True):
        draw(page, [[(x + shift, y) for x, y in line] for line in SQUARE])
    pages.pop(0).close()
    one, other = (wait_for_live(page) for page in pages)
    assert not np.array_equal(one, other)
    for page in pages:
        page.close()


def test_better_pictures_come_when_the_pen_rests_and_two_methods_stand_side_by_side(
    browser: Browser, address: str
) -> None:
    page = open_ready(browser, address, rests=True)
    page.check("#show-edges")
    draw(page, SQUARE)
    wait_for(page, "#first figcaption", "better, by predictor")
    assert page.locator("#first .edges").is_visible()
    assert page.locator("#history button").count() == 0
    page.select_option("#compare", "unguided")
    page.keyboard.press("Control+Enter")
    page.select_option("#compare", "")
    wait_for(page, "#second figcaption", "better, by unguided, seed 0")
    assert page.locator("#second .edges").is_hidden()
    assert page.locator("#pictures button").count() == 2
    page.close()


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_is_fit_for_everybody(browser: Browser, address: str, dark: bool) -> None:
    page = open_ready(browser, address, size=PHONE, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert find_faults(page) == []
    page.close()


def test_texts_and_files_are_never_run(browser: Browser, address: str) -> None:
    page = open_ready(browser, address)
    title = page.title()
    page.fill("#prompt", HOSTILE)
    draw(page, SQUARE)
    wait_for(page, "#status", "trained without these words: img, src, x, onerror")
    page.set_input_files("#import", {"name": f"{HOSTILE}.png", "mimeType": "image/png", "buffer": b"none"})
    wait_for(page, "#status", HOSTILE)
    assert page.title() == title
    page.close()


def test_files_become_strokes_and_tracing_paper(browser: Browser, address: str) -> None:
    page = open_ready(browser, address)
    draw(page, SQUARE)
    files = {kind: export(page, kind) for kind in ("svg", "png")}
    for kind, mime in (("svg", "image/svg+xml"), ("png", "image/png")):
        page.click("#clear")
        page.set_input_files("#import", {"name": f"house.{kind}", "mimeType": mime, "buffer": files[kind]})
        wait_for(page, "#status", f"strokes of house.{kind}")
        again = np.asarray(Image.open(io.BytesIO(export(page, "png"))).convert("L")) < 128
        first = np.asarray(Image.open(io.BytesIO(files["png"])).convert("L")) < 128
        assert np.ptp(np.argwhere(again), axis=0) == pytest.approx(
            np.ptp(np.argwhere(first), axis=0), abs=3 * 512 / GRID
        )
    page.set_input_files("#trace", {"name": "house.png", "mimeType": "image/png", "buffer": files["png"]})
    page.click("#untrace")
    assert page.locator("#untrace").is_hidden()
    page.close()
