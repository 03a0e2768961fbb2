"""One queue for all pages, and the sockets to which its pictures go."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from pydantic import Field
from starlette.applications import Starlette
from starlette.websockets import WebSocket, WebSocketDisconnect

from lepbench.config import Config, parse_config
from lepbench.drawing.artist import Artist, Quality, Settings, Shown
from lepbench.drawing.drawing import PageDrawing
from lepbench.drawing.history import History, HistoryEntry
from lepbench.drawing.queue import DrawingQueue, PageJob, explain_fault
from lepbench.errors import LepbenchError
from lepbench.files import interpret_json
from lepbench.images import encode_png

MOST_PAGES = 16
PACE_S = 0.02
"""Between two messages of a page: what it sends faster waits in its browser."""
FOREIGN, FULL = 1008, 1013
"""Codes by which sockets are closed."""


class Message(Config):
    """What the page sends through its socket."""

    number: int = Field(ge=0, le=2**53)
    quality: Quality
    drawing: PageDrawing
    settings: Settings


class Studio:
    """Takes jobs from sockets, and sends them what was drawn.

    Args:
        prepares: whether the first model is loaded before anybody asks for a picture.
    """

    def __init__(self, artist: Artist, history: History, *, prepares: bool) -> None:
        self.artist, self.history, self.prepares = artist, history, prepares
        self.sockets: dict[str, WebSocket] = {}
        self._state: dict[str, Any] = {"kind": "state", "ready": not prepares, "message": ""}

    @asynccontextmanager
    async def run(self, app: Starlette) -> AsyncIterator[None]:
        """Draw while the server runs."""
        self._loop = asyncio.get_running_loop()
        if self.prepares:
            self.queue = DrawingQueue(self.artist, self._notify, self._prepare)
        else:
            self.queue = DrawingQueue(self.artist, self._notify)
        try:
            yield
        finally:
            await asyncio.to_thread(self.queue.close)

    def _prepare(self) -> None:
        fault = ""
        try:
            self.artist.prepare()
        except Exception as error:  # Models from elsewhere may raise anything; another may be chosen.
            fault = str(explain_fault(error))
        self._state = {"kind": "state", "ready": True, "message": fault}
        self._start(self._tell_all())

    def _notify(self, job: PageJob, found: Shown | LepbenchError | tuple[int, int]) -> None:
        self._start(self._send(job.page, self._describe(job, found)))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def _describe(self, job: PageJob, found: Shown | LepbenchError | tuple[int, int]) -> dict[str, Any]:
        about = {"number": job.number, "quality": job.quality}
        if isinstance(found, LepbenchError):
            return {**about, "kind": "error", "message": str(found)}
        if isinstance(found, tuple):
            return {**about, "kind": "progress", "done": found[0], "total": found[1]}
        entry = HistoryEntry(drawing=job.drawing, settings=job.settings)
        return {
            **about,
            "kind": "pictures",
            "model": job.settings.model,
            "pictures": [
                {"seed": seed, "url": encode_url(encode_png(one))} for seed, one in found.pictures.items()
            ],
            "edges": None if found.edges is None else encode_url(encode_png(found.edges)),
            "seconds": round(found.seconds, 3),
            "notes": found.notes,
            "entry": self.history.keep(entry, found) if job.quality == "better" else None,
        }

    async def _tell_all(self) -> None:
        for page in list(self.sockets):
            await self._send(page, self._state)

    async def _send(self, page: str, message: dict[str, Any]) -> None:
        socket = self.sockets.get(page)
        if socket is not None:
            try:
                await socket.send_json(message)
            except (RuntimeError, WebSocketDisconnect):
                self.sockets.pop(page, None)  # The page went while it was sent.

    async def talk(self, socket: WebSocket) -> None:
        """Take a page's jobs until it goes."""
        if socket.headers.get("origin") not in (f"http://{socket.headers.get('host')}", None):
            await socket.close(code=FOREIGN)
            return
        await socket.accept()
        if len(self.sockets) >= MOST_PAGES:
            await socket.close(code=FULL)
            return
        page = secrets.token_hex(8)
        self.sockets[page] = socket
        try:
            await self._send(page, self._state)
            while True:
                await self._take(socket, page, await socket.receive_text())
                await asyncio.sleep(PACE_S)
        except (WebSocketDisconnect, KeyError):  # KeyError: it sent bytes.
            pass
        finally:
            self.sockets.pop(page, None)
            self.queue.cancel(page)

    async def _take(self, socket: WebSocket, page: str, text: str) -> None:
        try:
            found = interpret_json(text.encode(), "message", "reload the page")
            message = parse_config(found, Message, "message")
        except LepbenchError as error:
            await socket.send_json({"kind": "error", "number": 0, "quality": "better", "message": str(error)})
            return
        self.queue.submit(PageJob(page, **dict(message)))


def encode_url(png: bytes) -> str:
    """A PNG as a `data:` URL."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
