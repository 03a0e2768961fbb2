"""The pages in a headless Chromium: what can be pressed does what it says, by keyboard too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import DESKTOP, PHONE, Page, open_browser
from page_runs import HOSTILE

from lepbench.publishing.pages.report import write_report
from lepbench.publishing.pages.report_runs import ReportedRun

TABLE = "table.board-table"
VALUES = f'[...document.querySelectorAll("{TABLE} tbody tr:not([hidden]) td.g-headline[data-value]")]'
VALUES += ".map((cell) => Number(cell.dataset.value))"
FIRST_WORD = 'document.querySelector("#list .item:not([hidden]) p").firstChild.textContent.trim()'


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Of the session, so that without a browser nothing else is made for these tests."""
    with open_browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture(scope="module")
def report(run: ReportedRun) -> Path:
    path = run.folder.parent / "shown.html"
    write_report(path, [run])
    return path


@pytest.fixture(scope="module")
def suite(made: Path) -> Path:
    return made / "suites" / "tiny-suite.html"


def choose(page: Page, selector: str, value: str) -> None:
    """Choose an option of a list, or write into a field."""
    page.run(
        f"(() => {{ const it = document.querySelector({json.dumps(selector)});"
        f" it.value = {json.dumps(value)};"
        " for (const name of ['input', 'change']) it.dispatchEvent(new Event(name, {bubbles: true})); })()"
    )


def count(page: Page, selector: str) -> Any:
    return page.run(f"document.querySelectorAll({json.dumps(selector)}).length")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("name", ["report", "suite"])
def test_nothing_is_asked_for_elsewhere_and_nothing_is_wider_than_the_window(
    page: Page, request: pytest.FixtureRequest, name: str, size: tuple[int, int]
) -> None:
    path: Path = request.getfixturevalue(name)
    page.open(path, size)
    assert page.messages == []
    assert page.requests
    assert [one for one in page.requests if not one.startswith(("file:", "data:"))] == []
    assert page.run("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["report", "suite"])
def test_axe_finds_nothing_serious_light_or_dark(
    page: Page, request: pytest.FixtureRequest, name: str, dark: bool
) -> None:
    page.open(request.getfixturevalue(name), dark=dark)
    # Rows are alike: ten show what two hundred do.
    page.run("document.querySelectorAll('tbody tr:nth-child(n+11)').forEach((row) => row.remove())")
    shade = page.run("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (max(shade) < 60) is dark
    assert page.find_faults() == []


def test_a_caption_that_is_a_tag_is_text(page: Page, report: Path) -> None:
    page.open(report)
    assert page.run(FIRST_WORD) == HOSTILE
    assert page.run("document.title").startswith("tiny on")


def test_the_policy_of_the_page_stops_what_it_does_not_name(page: Page, report: Path) -> None:
    page.open(report)
    page.run("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')")
    page.run("fetch('https://example.com/').catch(() => 0)")
    page.run("new Promise((done) => setTimeout(done, 50))")
    assert page.run("window.ran") is None
    assert any("violates the following Content Security Policy" in one for one in page.messages)


def test_pictures_are_sorted_and_sought(page: Page, report: Path, run: ReportedRun) -> None:
    page.open(report)
    frame = run.record.samples()
    model = frame[frame["row"] == "model"].set_index("item_id")["chamfer_px"]
    choose(page, "#figure", "chamfer_px")
    for order, wanted in (("worst", model.idxmax()), ("best", model.idxmin())):
        choose(page, "#order", order)
        assert wanted in page.run('document.querySelector("#list .item p .faint").textContent')
    choose(page, "#search", "onerror")
    assert count(page, "#list .item:not([hidden])") == 1
    assert page.run('document.getElementById("count").textContent') == "1 shown"


def test_the_sketch_lies_over_a_picture_that_has_the_focus(page: Page, report: Path) -> None:
    page.open(report)
    page.run('document.getElementById("overlay").focus()')
    page.press("Tab")
    assert count(page, ".over") == 1
    assert page.run('document.activeElement.querySelector(".over").style.maskImage').startswith('url("data:')
    page.run('document.getElementById("overlay").focus()')
    assert count(page, ".over") == 0
    page.press(" ")
    assert count(page, ".over") == 30


def test_figures_beside_the_main_ones_are_shown_when_asked_for(page: Page, report: Path) -> None:
    page.open(report)
    assert count(page, "tr.minor:not([hidden])") == 0
    page.run('document.getElementById("every").focus()')
    page.press(" ")
    assert count(page, "tr.minor:not([hidden])") == count(page, "tr.minor") > 10


def test_two_hundred_rows_are_painted_within_a_second(page: Page, suite: Path) -> None:
    before = page.measure_work()
    page.open(suite)
    assert page.measure_work() - before < 1
    assert count(page, f"{TABLE} tbody tr") == 200


def test_a_table_is_sorted_by_mouse_and_by_keyboard(page: Page, suite: Path) -> None:
    page.open(suite)
    button = f'document.querySelector("{TABLE} th.g-headline button")'
    page.run(f"{button}.click()")
    values = page.run(VALUES)
    assert values == sorted(values, reverse=True)
    page.run(f"{button}.focus()")
    page.press("Enter")
    assert page.run(VALUES) == sorted(values)
    assert page.run(f'{button}.parentElement.getAttribute("aria-sort")') == "ascending"


def test_lines_are_chosen_by_words_and_by_how_far_they_were_checked(page: Page, suite: Path) -> None:
    page.open(suite)
    choose(page, "[data-filter]", "model-00 slow")
    assert count(page, f"{TABLE} tbody tr:not([hidden])") == 5
    choose(page, "[data-filter]", "")
    choose(page, "select[data-level]", "2")
    assert count(page, f"{TABLE} tbody tr:not([hidden])") == len(range(1, 200, 3))


def test_groups_of_columns_come_and_go(page: Page, suite: Path) -> None:
    page.open(suite)
    sketch = f"{TABLE} th.g-sketch:not(.g-minor)"
    assert page.run(f'document.querySelector("{sketch}").offsetWidth') == 0
    page.run('document.querySelector("input[data-group=sketch]").focus()')
    page.press(" ")
    assert page.run(f'document.querySelector("{sketch}").offsetWidth') > 0
    assert page.run(f'document.querySelector("{TABLE} th.g-minor").offsetWidth') == 0


def test_two_models_are_held_against_each_other(page: Page, suite: Path) -> None:
    page.open(suite)
    choose(page, "select[data-side='0']", "tiny")
    choose(page, "select[data-side='1']", "model-001")
    row = 'document.querySelector("[data-pair] tbody tr")'
    cells = page.run(f"[...{row}.cells].map((one) => one.firstChild.textContent)")
    first, second, gap = (float(text) for text in cells[1:4])
    assert gap == pytest.approx(first - second, abs=2e-3)
    assert "model-001 is better (intervals apart)" in page.run(f"{row}.parentElement.textContent")
    assert count(page, "[data-pair] .strip") == 10
    images = 'document.querySelectorAll("[data-pair] .strip img")'
    # Decoding waits for a picture, and fails where it cannot be read.
    assert page.run(f"Promise.all([...{images}].map((one) => one.decode())).then((all) => all.length)") == 30
