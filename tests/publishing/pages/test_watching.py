"""Pages of pictures under way: what is drawn is seen, with rate and time left, until the report is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from page_reader import PageReader
from PIL import Image

from lepbench.evaluation.layout import locate_picture
from lepbench.progress import ignore_progress
from lepbench.publishing.pages.watching import PAUSE_S, RunPage, write_sheet_page
from lepbench.suites import Suite


class Clock:
    """Seconds as a test says."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def page(tmp_path: Path, tiny_suite: Suite, clock: Clock) -> RunPage:
    return RunPage(tmp_path / "report.html", "a < b", tiny_suite, clock=clock)


def read(path: Path) -> PageReader:
    found = PageReader(path.read_text())
    assert found.faults == []
    return found


def test_newest_pictures_come_first_with_rate_and_time_left(
    page: RunPage, clock: Clock, tmp_path: Path, tiny_suite: Suite
) -> None:
    opened: list[Path] = []
    page.opened = opened.append
    for number in range(3):
        place = locate_picture(tmp_path, "model", tiny_suite.item_ids[number])
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(place)
    page("model", 0, 10)
    clock.now = 2 * PAUSE_S
    page("model", 4, 10)
    shown = read(page.path)
    assert opened == [page.path]
    cells = [one.text for one in shown.find("td")][:3]
    assert cells == ["4 of 10", "2", "3 s"]
    assert [one.text for one in shown.find("span", class_="faint")] == tiny_suite.item_ids[3::-1]
    assert [one.text for one in shown.find("h1")] == ["a < b"]
    pictures = [one.given["src"] for one in shown.find("img") if not one.given["src"].startswith("data:")]
    assert len(pictures) == 3
    assert all((tmp_path / one).is_file() for one in pictures)


def test_fast_pictures_do_not_wait_for_their_page(page: RunPage, clock: Clock) -> None:
    page("real", 1, 10)
    first = page.path.read_bytes()
    clock.now = PAUSE_S / 2
    page("real", 9, 10)
    assert page.path.read_bytes() == first


def test_a_run_that_fails_says_so_and_one_that_never_began_has_no_page(page: RunPage) -> None:
    def fail(*told: tuple[str, int, int]) -> None:
        with page.follow(ignore_progress) as tell:
            for stage in told:
                tell(*stage)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert not page.path.exists()
    with pytest.raises(KeyboardInterrupt):
        fail(("model", 1, 2))
    assert [one.text for one in read(page.path).find("p", class_="meta")] == [
        "stopped; the same command goes on with it"
    ]


def test_a_sheet_is_followed_until_it_is_full(tmp_path: Path) -> None:
    page = tmp_path / "six fish.html"
    for done, state in ((2, "2 of 6 pictures; this page follows"), (6, "6 of 6 pictures")):
        write_sheet_page(page, tmp_path / "six fish.png", done, 6)
        (said,) = read(page).find("p", class_="meta")
        assert said.text == state
        assert ("data-under-way" in said.given) is (done < 6)
