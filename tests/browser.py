"""A headless Chromium led by Playwright, where there is one: tests that need it are skipped without.

`LEPBENCH_CHROMIUM` names the program where it is not on the path; Playwright's own browsers are not used.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
DESKTOP, PHONE = (1280, 900), (390, 844)
WAIT_MS = 300_000


def find_chromium() -> str | None:
    """The program; None where there is none."""
    named = os.environ.get("LEPBENCH_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


needs_chromium = pytest.mark.skipif(
    find_chromium() is None, reason="no Chromium here: install it, or name it in LEPBENCH_CHROMIUM"
)


@dataclass
class Heard:
    """What a page did beside showing itself.

    Attributes:
        requests: every address that was asked for.
        messages: what the console said, and errors of scripts.
    """

    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A browser that ends with the block.

    While it is open its thread has a running event loop: fixtures of one module hold it, not of the session.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_chromium(), args=["--disable-dev-shm-usage"])
        yield browser
        browser.close()


def open_page(
    browser: Browser, address: str, size: tuple[int, int] = DESKTOP, *, dark: bool = False
) -> tuple[Page, Heard]:
    """Show an address in a window of its own, and wait until it is loaded and painted."""
    width, height = size
    page = browser.new_page(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    page.set_default_timeout(WAIT_MS)
    heard = Heard()
    page.on("request", lambda request: heard.requests.append(request.url))
    page.on("console", lambda message: heard.messages.append(message.text))
    page.on("pageerror", lambda error: heard.messages.append(str(error)))
    page.goto(address)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    return page, heard


def measure_work(browser: Browser, address: str) -> float:
    """Seconds of processor time until a page is loaded and painted, whatever else the machine does."""
    page = browser.new_page()
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def read() -> float:
        found: list[dict[str, Any]] = session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in found if one["name"] == "TaskDuration"))

    before = read()
    page.goto(address)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    taken = read() - before
    page.close()
    return taken


def find_faults(page: Page) -> list[str]:
    """Serious findings of axe-core."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {one['nodes'][0]['html'][:200]} {one['nodes'][0]['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
