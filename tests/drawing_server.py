"""The drawing page's server in a thread, for a browser to come."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import uvicorn

from lepbench.drawing.artist import Artist
from lepbench.drawing.history import History
from lepbench.drawing.offer import make_offer
from lepbench.drawing.server import make_app

TOKEN = "token"


@contextmanager
def serve(artist: Artist, history: Path) -> Iterator[str]:
    """A server with a history; gives the address of its page, and ends with the block."""
    offer = make_offer(list(artist.models.values()), artist.live)
    app = make_app(artist, History(history), offer, TOKEN, prepares=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/{TOKEN}/"
        server.should_exit = True
        thread.join()
