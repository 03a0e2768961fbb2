"""Seconds from the last pen stroke to the live picture, of `lepbench draw` on this machine.

    python benchmarks/draw_latency.py
    python benchmarks/draw_latency.py --page          by the page, in a headless Chromium of PATH

Sketches of sketchworld-freehand-v1 are drawn stroke by stroke. By a client: a request for each fifth of a
stroke as the pen moves, then that of the finished stroke, whose answer is waited for. By the page: mouse
moves, and the time from the last one's release to the decoded picture, as the page measures it. On stdout,
as JSON:

    ready_s                 from the command to loaded models
    strokes, p50_s, p95_s   finished strokes, and the time to their pictures
    drawn_s                 median that the server took for such a picture
    processor_s             of the server and its threads, a stroke: what other programs leave untouched
    load                    runnable processes when it began and ended
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import psutil
from websockets.sync.client import ClientConnection, connect

from lepbench.drawing.tracing import trace_lines
from lepbench.suites import Item, load_suite

SUITE = "sketchworld-freehand-v1"
PAUSE_S = 0.3
"""Between two strokes, as a hand makes it."""
PARTS = 5
MOST = 300.0
Stroke = list[list[float]]
Times = list[tuple[float, float]]
"""From the stroke to the picture, and what the server took for that, s."""


@contextmanager
def run_server() -> Iterator[tuple[str, psutil.Process]]:
    """`lepbench draw` with the address of its page."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "lepbench", "draw", "--no-browser", "--out", f"{folder}/drawings"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait()


def list_strokes(item: Item) -> list[Stroke]:
    """An item's strokes as points with pressure in a unit square."""
    side, found = len(item.sketch), []
    for number in range(1, int(item.strokes.max()) + 1):
        for line in trace_lines(item.strokes == number):
            points = (line + 0.5) / side
            found.append([[float(x), float(y), 0.5] for x, y in points])
    return [stroke for stroke in found if len(stroke) > PARTS]


def connect_client(address: str) -> ClientConnection:
    """The socket of the page at an address."""
    return connect(address.replace("http://", "ws://") + "pictures", max_size=None)


def hear(socket: ClientConnection, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The next message that is wanted."""
    while True:
        message: dict[str, Any] = json.loads(socket.recv(timeout=MOST))
        if wanted(message):
            return message


def measure_by_client(address: str, items: list[Item]) -> Times:
    """Draw by requests, as the page sends them."""
    times: Times = []
    number = 0
    with connect_client(address) as socket:
        for item in items:
            done: list[Stroke] = []
            for stroke in list_strokes(item):
                for part in range(1, PARTS + 1):
                    number += 1
                    drawn = stroke[: max(1, len(stroke) * part // PARTS)]
                    send_strokes(socket, number, item.prompt, [*done, drawn])
                    if part < PARTS:
                        time.sleep(PAUSE_S / PARTS)
                begun, last = time.monotonic(), number
                found = hear(socket, lambda it, last=last: it.get("number") == last and "done" not in it)  # type: ignore[misc]
                times.append((time.monotonic() - begun, found["seconds"]))
                done.append(stroke)
                time.sleep(PAUSE_S)
    return times


def send_strokes(socket: ClientConnection, number: int, prompt: str, strokes: list[Stroke]) -> None:
    """Ask for the live picture of a drawing."""
    drawing = {"prompt": prompt, "strokes": [{"points": points} for points in strokes]}
    request = {"number": number, "quality": "live", "drawing": drawing, "settings": {"model": "predictor"}}
    socket.send(json.dumps(request))


def measure_by_page(address: str, items: list[Item]) -> Times:
    """Draw by the mouse in a browser; the server's own time is not told there."""
    from playwright.sync_api import sync_playwright

    times: Times = []
    program = os.environ.get("LEPBENCH_CHROMIUM", "/usr/bin/chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(address)
        page.locator("#model option").first.wait_for(state="attached")
        box = page.locator("#canvas").bounding_box()
        assert box is not None
        for item in items:
            page.click("#clear")
            page.fill("#prompt", item.prompt)
            for stroke in list_strokes(item):
                corners = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y, _ in stroke]
                page.mouse.move(*corners[0])
                page.mouse.down()
                for corner in corners[1:]:
                    page.mouse.move(*corner)
                page.mouse.up()
                times.append((wait_for_measure(page, len(times)), float("nan")))
                page.wait_for_timeout(1000 * PAUSE_S)
        browser.close()
    return times


def wait_for_measure(page: Any, known: int) -> float:
    """Seconds of the page's next measure."""
    until = time.monotonic() + MOST
    while time.monotonic() < until:
        found = page.evaluate("performance.getEntriesByName('stroke to picture').map((one) => one.duration)")
        if len(found) > known:
            return float(found[known]) / 1000
        page.wait_for_timeout(20)
    raise TimeoutError("no picture after a stroke")


def count_processor(process: psutil.Process) -> float:
    """Seconds of processor time that a process has taken."""
    taken = process.cpu_times()
    return float(taken.user + taken.system)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=8, help="sketches that are drawn")
    parser.add_argument("--page", action="store_true", help="in a browser, too")
    chosen = parser.parse_args()
    items, load = [load_suite(SUITE)[place] for place in range(chosen.items)], os.getloadavg()[0]
    begun = time.monotonic()
    with run_server() as (address, server):
        with connect_client(address) as socket:
            hear(socket, lambda message: message["kind"] == "state" and message["ready"])
        ready, before = time.monotonic() - begun, count_processor(server)
        times = (measure_by_page if chosen.page else measure_by_client)(address, items)
        processor = (count_processor(server) - before) / len(times)
    waited, drawn = np.array(times).T
    found = {
        "ready_s": ready,
        "strokes": len(times),
        "p50_s": float(np.percentile(waited, 50)),
        "p95_s": float(np.percentile(waited, 95)),
        **({} if chosen.page else {"drawn_s": float(np.median(drawn))}),
        "processor_s": processor,
    }
    loads = [round(load, 1), round(os.getloadavg()[0], 1)]
    print(json.dumps({name: round(value, 3) for name, value in found.items()} | {"load": loads}))


if __name__ == "__main__":
    main()
