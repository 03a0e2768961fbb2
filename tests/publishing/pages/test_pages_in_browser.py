"""The pages in a headless Chromium: what can be pressed does what it says, by keyboard too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import DESKTOP, PHONE, find_faults, measure_work, needs_chromium, open_browser, open_page
from page_runs import HOSTILE

from lepbench.publishing.pages.report import write_report
from lepbench.publishing.pages.report_runs import ReportedRun

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = needs_chromium
ROWS = "table.board-table tbody tr:visible"
HEADLINE = "table.board-table th.g-headline button"
FIRST = "#list .item:visible >> nth=0"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def addresses(run: ReportedRun, made: Path) -> dict[str, str]:
    report = run.folder.parent / "shown.html"
    write_report(report, [run])
    paths = {"report": report, "suite": made / "suites" / "tiny-suite.html", "index": made / "index.html"}
    paths["model"] = made / "models" / "tiny.html"
    return {name: path.resolve().as_uri() for name, path in paths.items()}


@pytest.fixture
def report(browser: Browser, addresses: dict[str, str]) -> Iterator[Page]:
    page, _ = open_page(browser, addresses["report"])
    yield page
    page.close()


@pytest.fixture
def suite(browser: Browser, addresses: dict[str, str]) -> Iterator[Page]:
    page, _ = open_page(browser, addresses["suite"])
    yield page
    page.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("name", ["report", "suite", "index", "model"])
def test_nothing_is_asked_for_elsewhere_and_nothing_is_wider_than_the_window(
    browser: Browser, addresses: dict[str, str], name: str, size: tuple[int, int]
) -> None:
    page, heard = open_page(browser, addresses[name], size)
    assert heard.messages == []
    assert heard.requests
    assert [one for one in heard.requests if not one.startswith(("file:", "data:"))] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.close()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["report", "suite", "model"])
def test_axe_finds_nothing_serious_light_or_dark(
    browser: Browser, addresses: dict[str, str], name: str, dark: bool
) -> None:
    page, _ = open_page(browser, addresses[name], dark=dark)
    # Rows are alike: ten show what two hundred do.
    page.evaluate("document.querySelectorAll('tbody tr:nth-child(n+11)').forEach((row) => row.remove())")
    shade = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (max(shade) < 60) is dark
    assert find_faults(page) == []
    page.close()


def test_a_caption_that_is_a_tag_is_text(report: Page) -> None:
    assert report.locator(f"{FIRST} >> p").inner_text().startswith(HOSTILE)
    assert report.title().startswith("tiny on")


def test_the_policy_of_the_page_stops_what_it_does_not_name(
    browser: Browser, addresses: dict[str, str]
) -> None:
    page, heard = open_page(browser, addresses["report"])
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')")
    page.evaluate("fetch('https://example.com/').catch(() => 0)")
    page.wait_for_timeout(50)
    assert page.evaluate("window.ran") is None
    assert any("violates the following Content Security Policy" in one for one in heard.messages)
    page.close()


def test_pictures_are_sorted_and_sought(report: Page, run: ReportedRun) -> None:
    frame = run.record.samples()
    model = frame[frame["row"] == "model"].set_index("item_id")["chamfer_px"]
    report.select_option("#figure", "chamfer_px")
    for order, wanted in (("worst", model.idxmax()), ("best", model.idxmin())):
        report.select_option("#order", order)
        assert str(wanted) in report.locator(f"{FIRST} >> p .faint").inner_text()
    report.fill("#search", "onerror")
    assert report.locator("#list .item:visible").count() == 1
    assert report.inner_text("#count") == "1 shown"


def test_the_sketch_lies_over_a_picture_that_has_the_focus(report: Page) -> None:
    overlay, over = report.locator("#overlay"), report.locator(".over")
    overlay.focus()
    report.keyboard.press("Tab")
    assert over.count() == 1
    mask = report.evaluate("document.activeElement.querySelector('.over').style.maskImage")
    assert mask.startswith('url("data:')
    overlay.focus()
    assert over.count() == 0
    report.keyboard.press("Space")
    assert over.count() == report.locator(".strip .frame").count() == 30


def test_figures_beside_the_main_ones_are_shown_when_asked_for(report: Page) -> None:
    minor = report.locator("tr.minor:not([hidden])")
    assert minor.count() == 0
    report.locator("#every").focus()
    report.keyboard.press("Space")
    assert minor.count() == report.locator("tr.minor").count() > 10


def test_two_hundred_rows_are_painted_within_a_second(browser: Browser, addresses: dict[str, str]) -> None:
    assert measure_work(browser, addresses["suite"]) < 1


def test_a_table_is_sorted_by_mouse_and_by_keyboard(suite: Page) -> None:
    def read() -> list[float]:
        values = "all.map((row) => row.querySelector('td.g-headline[data-value]').dataset.value)"
        return [float(value) for value in suite.locator(ROWS).evaluate_all(f"(all) => {values}")]

    button = suite.locator(HEADLINE).first
    assert suite.locator(ROWS).count() == 200
    button.click()
    assert read() == sorted(read(), reverse=True)
    button.focus()
    suite.keyboard.press("Enter")
    assert read() == sorted(read())
    assert button.evaluate("(it) => it.parentElement.getAttribute('aria-sort')") == "ascending"


def test_lines_are_chosen_by_words_and_by_how_far_they_were_checked(suite: Page) -> None:
    suite.fill("[data-filter]", "model-00 slow")
    assert suite.locator(ROWS).count() == 5
    suite.fill("[data-filter]", "")
    suite.select_option("select[data-level]", "2")
    assert suite.locator(ROWS).count() == len(range(1, 200, 3))


def test_groups_of_columns_come_and_go(suite: Page) -> None:
    shown = suite.locator("table.board-table th.g-sketch:not(.g-minor):visible")
    assert shown.count() == 0
    suite.locator("input[data-group=sketch]").focus()
    suite.keyboard.press("Space")
    assert shown.count() > 0
    assert suite.locator("table.board-table th.g-minor:visible").count() == 0


def test_two_models_are_held_against_each_other(suite: Page) -> None:
    suite.select_option("select[data-side='0']", "tiny")
    suite.select_option("select[data-side='1']", "model-001")
    row = suite.locator("[data-pair] tbody tr").first
    cells = row.evaluate("(it) => [...it.cells].map((one) => one.firstChild.textContent)")
    first, second, gap = (float(text) for text in cells[1:4])
    assert gap == pytest.approx(first - second, abs=2e-3)
    assert "model-001 is better (intervals apart)" in suite.locator("[data-pair] tbody").inner_text()
    assert suite.locator("[data-pair] .strip").count() == 10
    # Decoding waits for a picture, and fails where it cannot be read.
    decoded = "(all) => Promise.all(all.map((one) => one.decode())).then((done) => done.length)"
    assert suite.locator("[data-pair] .strip img").evaluate_all(decoded) == 30


def test_keys_alone_lead_from_the_first_page_to_a_model(browser: Browser, addresses: dict[str, str]) -> None:
    page, _ = open_page(browser, addresses["index"])
    for text in ("tiny-suite", "tiny"):
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent") == text:
                break
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/{text}.html*")
    assert page.inner_text("h1") == "tiny"
    page.close()
