"""Pages of pictures that are being drawn: written anew as they come, and read anew by the browser."""

from __future__ import annotations

import time
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from lepbench.evaluation.conditions import CONDITIONS
from lepbench.evaluation.layout import locate_picture
from lepbench.files import write_text
from lepbench.progress import Progress, Rate, join_progress
from lepbench.publishing.pages.html import render_page
from lepbench.publishing.pages.report_items import ShownItem, ShownPicture, shorten
from lepbench.publishing.pages.thumbnails import Thumbnails
from lepbench.suites import Item

NEWEST = 12
"""Items that are shown."""
PAUSE_S = 1.0
"""Between two writings, so that fast pictures do not wait for their page."""
STOPPED = "stopped; the same command goes on with it"
TEMPLATE, SCRIPT = "watching.html", "watching.js"


@dataclass
class WatchedStage:
    """How far the pictures of a condition are.

    Attributes:
        measured: how fast they come.
        speed: pictures a second; None before the first.
    """

    name: str
    measured: Rate
    done: int = 0
    total: int = 0
    speed: float | None = None

    def take(self, done: int, total: int) -> None:
        """Take note of how far they are."""
        self.done, self.total, self.speed = done, total, self.measured.measure(done)

    @property
    def rate(self) -> str:
        """The speed as it is read."""
        return "" if self.speed is None else f"{self.speed:.3g}"

    @property
    def left(self) -> str:
        """The time that the rest will take."""
        if self.speed is None or self.done >= self.total:
            return ""
        minutes, seconds = divmod(round((self.total - self.done) / self.speed), 60)
        return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


@dataclass
class RunPage:
    """The page of a run that is under way, in the place of its report. A progress callback.

    Args:
        path: of the page, in the folder of the run.
        title: what is drawn.
        items: of the suite, in its order.
        each: samples an item.
        opened: called once, when the page is first there.
        clock: gives seconds.
    """

    path: Path
    title: str
    items: Sequence[Item]
    each: int = 1
    opened: Callable[[Path], object] = lambda path: None
    clock: Callable[[], float] = time.monotonic
    _stages: dict[str, WatchedStage] = field(default_factory=dict, init=False)
    _written: float | None = field(default=None, init=False)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note of a stage, and write the page where the last writing is a while ago."""
        now = self.clock()
        self._stages.setdefault(stage, WatchedStage(stage, Rate(self.clock))).take(done, total)
        if self._written is None or now - self._written >= PAUSE_S:
            self._write(stage, "under way; this page follows", under_way=True)
            if self._written is None:
                self.opened(self.path)
            self._written = now

    @contextmanager
    def follow(self, show: Progress) -> Iterator[Progress]:
        """A block in which a callback tells this page, too; where it fails, the page says so."""
        try:
            yield join_progress(show, self)
        except BaseException:
            if self._stages:
                self._write(list(self._stages)[-1], STOPPED, under_way=False)
            raise

    def _write(self, stage: str, state: str, *, under_way: bool) -> None:
        items = self._list_newest(stage)
        page = render_page(
            TEMPLATE,
            SCRIPT,
            title=self.title,
            state=state,
            under_way=under_way,
            stages=list(self._stages.values()),
            items=items,
            sheet="",
        )
        write_text(self.path, page)

    def _list_newest(self, stage: str) -> list[ShownItem]:
        """The items that a stage reached last, each with all its pictures that are there."""
        repeats = self.each if stage in CONDITIONS and CONDITIONS[stage].repeats else 1
        reached = -(-self._stages[stage].done // repeats)
        return [self._show(self.items[place]) for place in range(reached)[: -NEWEST - 1 : -1]]

    def _show(self, item: Item) -> ShownItem:
        sketch = Thumbnails().show_sketch(item.input)
        pictures = [ShownPicture("sketch", sketch, "", f"sketch of {item.item_id}")]
        for name in self._stages:
            path = locate_picture(self.path.parent, name, item.item_id)
            if path.is_file():
                address = quote(path.relative_to(self.path.parent).as_posix())
                pictures.append(ShownPicture(name, address, "", f"{name}, item {item.item_id}"))
        return ShownItem(item.item_id, shorten(item.prompt), level="", sketch=sketch, pictures=pictures)


def open_in_browser(path: Path) -> None:
    """Open a page in the browser of the one who waits."""
    webbrowser.open(path.resolve().as_uri())


def write_sheet_page(path: Path, sheet: Path, done: int, total: int) -> None:
    """Write a page that shows a sheet beside it, and follows it until it is full.

    Args:
        done, total: pictures on it, and in all.
    """
    under_way = done < total
    page = render_page(
        TEMPLATE,
        SCRIPT,
        title=sheet.name,
        state=f"{done} of {total} pictures" + ("; this page follows" if under_way else ""),
        under_way=under_way,
        stages=[],
        items=[],
        sheet=f"{quote(sheet.name)}?{done}",
    )
    write_text(path, page)
