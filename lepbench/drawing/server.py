"""The page's server: static files, a socket for pictures, imports, exports and the history, by a token."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import Field
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from lepbench.config import Config, parse_config
from lepbench.drawing.artist import Artist, Quality, Settings, Shown
from lepbench.drawing.drawing import PageDrawing
from lepbench.drawing.exports import EXPORTS
from lepbench.drawing.history import History, HistoryEntry
from lepbench.drawing.offer import Offer
from lepbench.drawing.queue import DrawingQueue, PageJob
from lepbench.drawing.tracing import read_strokes
from lepbench.errors import LepbenchError
from lepbench.files import interpret_json
from lepbench.images import encode_png

PAGE = Path(__file__).parent / "page"
MOST_BYTES = 4 * 2**20
"""Of a message or a file that the page sends."""
MOST_PAGES = 16
HOSTS = ("localhost", "127.0.0.1", "[::1]")
RULES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The browser loads nothing from elsewhere, and runs nothing that a prompt or a file holds."""


class Message(Config):
    """What the page sends through its socket."""

    number: int = Field(ge=0, le=2**53)
    quality: Quality
    drawing: PageDrawing
    settings: Settings


class Studio:
    """One queue for all pages, and the sockets to which its pictures go."""

    def __init__(self, artist: Artist, history: History) -> None:
        self.artist, self.history = artist, history
        self.sockets: dict[str, WebSocket] = {}

    @asynccontextmanager
    async def run(self, app: Starlette) -> AsyncIterator[None]:
        """Draw while the server runs."""
        loop = asyncio.get_running_loop()

        def notify(job: PageJob, found: Shown | LepbenchError | tuple[int, int]) -> None:
            asyncio.run_coroutine_threadsafe(self._send(job, self._describe(job, found)), loop)

        self.queue = DrawingQueue(self.artist, notify)
        try:
            yield
        finally:
            await asyncio.to_thread(self.queue.close)

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
            "pictures": [
                {"seed": seed, "url": encode_url(encode_png(one))} for seed, one in found.pictures.items()
            ],
            "edges": None if found.edges is None else encode_url(encode_png(found.edges)),
            "seconds": round(found.seconds, 3),
            "notes": found.notes,
            "entry": self.history.keep(entry, found) if job.quality == "better" else None,
        }

    async def _send(self, job: PageJob, message: dict[str, Any]) -> None:
        socket = self.sockets.get(job.page)
        if socket is not None:
            try:
                await socket.send_json(message)
            except (RuntimeError, WebSocketDisconnect):
                self.sockets.pop(job.page, None)  # The page went while it was sent.

    async def talk(self, socket: WebSocket) -> None:
        """Take a page's jobs until it goes."""
        host = socket.headers.get("host")
        if socket.headers.get("origin") not in (f"http://{host}", None) or len(self.sockets) >= MOST_PAGES:
            await socket.close(code=1008)
            return
        await socket.accept()
        page = secrets.token_hex(8)
        self.sockets[page] = socket
        try:
            while True:
                await self._take(socket, page, await socket.receive_text())
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


Answer = Callable[[Request], Awaitable[Response]]


def explain(answer: Answer) -> Answer:
    """An answer whose expected errors are JSON `{"message"}` with status 400."""

    async def explained(request: Request) -> Response:
        try:
            return await answer(request)
        except LepbenchError as error:
            return JSONResponse({"message": str(error)}, status_code=400)

    return explained


async def read_body(request: Request) -> bytes:
    """A request's body, refused with status 413 beyond `MOST_BYTES`."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise HTTPException(413)
    return bytes(body)


def make_app(artist: Artist, history: History, offer: Offer, token: str) -> Starlette:
    """The server of the page below `/TOKEN/`; elsewhere there is nothing.

    Args:
        artist: draws.
        history: keeps what was drawn better.
        offer: what the page lets one choose.
        token: without it nothing answers.
    """
    studio = Studio(artist, history)

    async def show_offer(request: Request) -> Response:
        return JSONResponse(offer.model_dump(mode="json"))

    async def list_history(request: Request) -> Response:
        return JSONResponse(history.list_names())

    async def show_entry(request: Request) -> Response:
        return JSONResponse(history.read(request.path_params["name"]))

    async def show_picture(request: Request) -> Response:
        name, number = request.path_params["name"], request.path_params["number"]
        return Response(history.read_picture(name, number), media_type="image/png")

    async def import_file(request: Request) -> Response:
        body, name = await read_body(request), request.query_params.get("name", "drawing")[:200]
        strokes = await asyncio.to_thread(read_strokes, body, name)
        return JSONResponse([stroke.model_dump(mode="json") for stroke in strokes])

    async def export_file(request: Request) -> Response:
        kind = request.path_params["kind"]
        if kind not in EXPORTS:
            raise LepbenchError(f"no export {kind[:80]!r}", f"choose of: {', '.join(EXPORTS)}")
        found = interpret_json(await read_body(request), "the drawing", "reload the page")
        entry = parse_config(found, HistoryEntry, "the drawing")
        name, write = EXPORTS[kind]
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(write(entry.drawing, entry.settings), headers=headers)

    routes = [
        Route("/offer", show_offer),
        Route("/history", list_history),
        Route("/history/{name}", explain(show_entry)),
        Route("/history/{name}/{number:int}.png", explain(show_picture)),
        Route("/import", explain(import_file), methods=["POST"]),
        Route("/export/{kind}", explain(export_file), methods=["POST"]),
        WebSocketRoute("/pictures", studio.talk),
        Mount("/", StaticFiles(directory=PAGE, html=True)),
    ]
    guards = [Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS)), Middleware(PolicyHeaders)]
    return Starlette(routes=[Mount(f"/{token}", routes=routes)], middleware=guards, lifespan=studio.run)


class PolicyHeaders:
    """Sends the page's rules for the browser with every answer."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_ruled(message: Any) -> None:
            if message["type"] == "http.response.start":
                rules = {
                    b"content-security-policy": RULES.encode(),
                    b"x-content-type-options": b"nosniff",
                    b"referrer-policy": b"no-referrer",
                    b"cache-control": b"no-store",
                }
                message = {**message, "headers": [*message["headers"], *rules.items()]}
            await send(message)

        await self.app(scope, receive, send_ruled if scope["type"] == "http" else send)
