"""`lepbench draw`: a page in the browser on which one draws and watches the picture follow."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import click

from lepbench.cli.console import json_option, print_result
from lepbench.errors import LepbenchError

HOST = "127.0.0.1"
LIBRARIES = ("starlette", "uvicorn", "websockets")


@click.command("draw")
@click.argument(
    "models", nargs=-1, type=click.Path(dir_okay=False, path_type=Path), metavar="[MODEL.yaml]..."
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("drawings"),
    show_default=True,
    help="Folder of the history.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port  [default: a free one].")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda or auto.")
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open the page.")
@json_option
def command(
    models: tuple[Path, ...], out: Path, port: int, device: str, browser: bool, as_json: bool
) -> None:
    """Draw in the browser: the picture follows each stroke, and a better one is a click away.

    The page's address is printed on stdout, with a token without which nothing answers; only this machine
    reaches it. What was drawn better is kept in --out, and is there when the page is opened again. Without a
    MODEL.yaml the embedded model draws. Ends with Ctrl-C.

    \b
    Examples:
      lepbench draw
      lepbench draw examples/mini-lep-gentle.yaml examples/mini-controlnet.yaml --out drawings
      lepbench draw --no-browser --port 8000
    """
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if missing:
        raise LepbenchError(f"the page needs {', '.join(missing)}", "pip install 'lepbench[draw]'")
    import uvicorn

    from lepbench.drawing.artist import Artist
    from lepbench.drawing.history import History
    from lepbench.drawing.offer import list_live, list_models, make_offer
    from lepbench.drawing.server import MOST_BYTES, make_app

    chosen, live = list_models(models), list_live(models)
    token = secrets.token_urlsafe(16)
    app = make_app(Artist(chosen, live, device), History(out), make_offer(chosen, live), token, prepares=True)
    with closing(_listen(port)) as bound:
        address = f"http://{HOST}:{bound.getsockname()[1]}/{token}/"
        print_result(address, {"address": address}, as_json)
        if browser:
            webbrowser.open(address)
        settings = uvicorn.Config(app, log_level="warning", ws_max_size=MOST_BYTES, server_header=False)
        uvicorn.Server(settings).run(sockets=[bound])


def _listen(port: int) -> socket.socket:
    """A socket of this machine alone.

    Raises:
        LepbenchError: the port is taken.
    """
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
        # Whoever opens the address before the server runs waits for it, and is not refused.
        bound.listen()
    except OSError as error:
        bound.close()
        raise LepbenchError(f"cannot use port {port}: {error.strerror}", "choose another") from error
    return bound
