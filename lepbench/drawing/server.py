"""The page's server: static files, a socket for pictures, imports, exports and the history, by a token."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from lepbench.config import parse_config
from lepbench.drawing.artist import Artist
from lepbench.drawing.exports import EXPORTS
from lepbench.drawing.history import History, HistoryEntry
from lepbench.drawing.offer import Offer
from lepbench.drawing.studio import Studio
from lepbench.drawing.tracing import read_strokes
from lepbench.errors import LepbenchError
from lepbench.files import interpret_json

PAGE = Path(__file__).parent / "page"
MOST_BYTES = 4 * 2**20
"""Of a message or a file that the page sends."""
HOSTS = ("localhost", "127.0.0.1", "[::1]")
RULES = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The browser loads nothing from elsewhere, and runs nothing that a prompt or a file holds."""


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


def make_app(
    artist: Artist, history: History, offer: Offer, token: str, *, prepares: bool = False
) -> Starlette:
    """The server of the page below `/TOKEN/`; elsewhere there is nothing.

    Args:
        artist: draws.
        history: keeps what was drawn better.
        offer: what the page lets one choose.
        token: without it nothing answers.
        prepares: whether the first model is loaded before anybody asks for a picture.
    """
    studio = Studio(artist, history, prepares=prepares)
    # A file may be large when it is unpacked: one at a time.
    alone = asyncio.Semaphore(1)

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
        async with alone:
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
        async with alone:
            content = await asyncio.to_thread(write, entry, artist)
        return Response(content, headers=headers)

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
