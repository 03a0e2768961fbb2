"""A headless Chromium, where there is one, led over a pipe by its own protocol: no driver is installed.

`LEPBENCH_CHROMIUM` names the program where it is not on the path, `LEPBENCH_AXE` a copy of `axe.min.js`.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
WAIT_S = 20.0
DESKTOP, PHONE = (1280, 900), (390, 844)
KEYS = {"Tab": 9, "Enter": 13, " ": 32}


def find_chromium() -> str:
    """The program; a test without one is skipped."""
    named = os.environ.get("LEPBENCH_CHROMIUM")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium here: install it, or name it in LEPBENCH_CHROMIUM")
    return found


class Page:
    """The one page of a browser.

    Attributes:
        requests: every address that was asked for.
        messages: what the console said, errors of the page's policy among it.
    """

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers, self._buffer = os.fdopen(commands, "wb"), answers, b""
        self._numbers, self._session, self._loaded = itertools.count(1), "", False
        self.requests: list[str] = []
        self.messages: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")
        self.send("Performance.enable", timeDomain="threadTicks")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol, and return its result."""
        number = next(self._numbers)
        call = {"id": number, "method": method, "params": parameters}
        if self._session:
            call["sessionId"] = self._session
        self._commands.write(json.dumps(call).encode() + b"\0")
        self._commands.flush()
        while (answer := self._receive()).get("id") != number:
            pass
        assert "error" not in answer, f"{method}: {answer['error']}"
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, path: Path, size: tuple[int, int] = DESKTOP, dark: bool = False) -> None:
        """Show a file, and wait until it is loaded and painted."""
        width, height = size
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self._loaded = False
        self.requests.clear()
        self.messages.clear()
        self.send("Page.navigate", url=path.resolve().as_uri())
        while not self._loaded:
            self._receive()
        self.run("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")

    def measure_work(self) -> float:
        """Seconds of processor time that the page has taken so far, whatever else the machine does."""
        found = self.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in found if one["name"] == "TaskDuration"))

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        found = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, key: str, times: int = 1) -> None:
        """Press a key."""
        text = {"Enter": "\r", " ": " "}.get(key, "")
        for _ in range(times):
            for kind in ("keyDown", "keyUp"):
                self.send(
                    "Input.dispatchKeyEvent",
                    type=kind,
                    key=key,
                    code=key if key != " " else "Space",
                    windowsVirtualKeyCode=KEYS[key],
                    **({"text": text} if text and kind == "keyDown" else {}),
                )

    def shoot(self, path: Path, whole: bool = False) -> None:
        """Write what is seen as a PNG."""
        found = self.send("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))

    def find_faults(self) -> list[str]:
        """Serious findings of axe-core; a test without it is skipped."""
        named = os.environ.get("LEPBENCH_AXE")
        if not named:
            pytest.skip("no axe-core here: name axe.min.js in LEPBENCH_AXE")
        self.run(Path(named).read_text(encoding="utf-8") + "; true")
        found = self.run(
            "axe.run(document).then((r) => r.violations.map((v) => "
            "[v.impact, v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary]))"
        )
        return [str(one) for one in found if one[0] in ("serious", "critical")]

    def _receive(self) -> dict[str, Any]:
        parts = [self._buffer]
        while b"\0" not in parts[-1]:
            parts.append(os.read(self._answers, 1 << 20))
            assert parts[-1], "the browser ended"
        content, _, self._buffer = b"".join(parts).partition(b"\0")
        message: dict[str, Any] = json.loads(content)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, given: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(given["request"]["url"])
        elif method == "Log.entryAdded":
            self.messages.append(given["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.messages.append(str(given["exceptionDetails"]))


@contextmanager
def open_browser(folder: Path) -> Iterator[Page]:
    """A browser that keeps what it writes in a folder, and ends with the block."""
    program = find_chromium()
    (command_out, command_in), (answer_out, answer_in) = os.pipe(), os.pipe()
    # The program reads commands from descriptor 3 and writes answers to 4.
    script = f'exec 3<&{command_out} 4>&{answer_in}; exec "$@"'
    flags = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--remote-debugging-pipe",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
        f"--user-data-dir={folder}",
    )
    process = subprocess.Popen(
        ["bash", "-c", script, "bash", program, *flags],
        pass_fds=(command_out, answer_in),
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    os.close(command_out)
    os.close(answer_in)
    try:
        yield Page(command_in, answer_out)
    finally:
        with suppress(OSError):
            process.terminate()
        try:
            process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
