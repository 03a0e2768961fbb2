"""`lepbench sample`: generate images from a prompt and a sketch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lepbench.cli.console import same_option, say_note
from lepbench.cli.inputs import check_pictures
from lepbench.errors import LepbenchError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lepbench.backbones.load import Precision
    from lepbench.guidance.sketch import Sketch
    from lepbench.methods import Method, Request
    from lepbench.progress import Progress


@click.command("sample")
@click.option("--prompt", required=True, help="Text prompt.")
@click.option(
    "--negative-prompt", default="", help="What is not wanted: read by the unconditional half of guidance."
)
@click.option("--sketch", required=True, type=click.Path(path_type=Path), help="Image file of the sketch.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="PNG to write: the image, or with --count the sheet.",
)
@click.option(
    "--count",
    type=click.IntRange(min=1),
    help="Images to draw, from SEED on: OUT-SEED.png each, and OUT with all of them enlarged.",
)
@click.option("--watch", is_flag=True, help="With --count, show the sheet in the browser as it fills.")
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="MODEL.yaml whose backbone, method and settings draw, instead of those by options.",
)
@click.option(
    "--backbone",
    "backbone_name",
    default="mini@1",
    show_default=True,
    help="Embedded name, folder or hub id.",
)
@click.option("--predictor", default="lep-mini@1", show_default=True, help="Embedded name, folder or hub id.")
@click.option(
    "--preset",
    default="fast",
    show_default=True,
    help="fast, turbo, live or paper: defaults of the next four options.",
)
@click.option("--scale", type=click.FloatRange(min=0), help="Sketch guidance scale.")
@click.option("--stop", type=click.FloatRange(0, 1), help="Guide while t > STOP x T.")
@click.option("--steps", type=int, help="Denoising steps.")
@click.option("--scheduler", help="Scheduler, by short name; flow_euler or flow_dpmpp for flow matching.")
@click.option(
    "--cfg",
    "guidance_scale",
    default=4.0,
    show_default=True,
    help="Classifier-free guidance scale: from 1, or from 0 where it is distilled into the backbone.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the noise.")
@click.option(
    "--thin/--no-thin",
    default=True,
    show_default=True,
    help="Redraw strokes that are as wide as a latent pixel as thin lines.",
)
@click.option("--resize", is_flag=True, help="Fit a sketch of another size to the image size.")
@click.option("--height", type=int, help="Image height, px  [default: the training size].")
@click.option("--width", type=int, help="Image width, px.")
@click.option(
    "--importance",
    type=click.Path(path_type=Path),
    help="A grey image of weights of the sketch, from black (ignored) to white.",
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda or auto.")
@click.option(
    "--precision",
    default="float32",
    show_default=True,
    type=click.Choice(["float32", "bfloat16", "float16"]),
    help="Precision of the backbone's weights.",
)
@same_option
def command(
    prompt: str,
    sketch: Path,
    out: Path,
    count: int | None,
    watch: bool,
    model: Path | None,
    backbone_name: str,
    predictor: str,
    preset: str,
    scale: float | None,
    stop: float | None,
    seed: int,
    thin: bool,
    resize: bool,
    height: int | None,
    width: int | None,
    importance: Path | None,
    device: str,
    precision: Precision,
    **sampler: Any,
) -> None:
    """Generate an image of the prompt, guided by a sketch, or several to choose from.

    The sketch may be black on white, white on black or on transparent ground, in any image format, also a
    scan or a photograph; --resize fits one of another size. Writes the image and OUT-strip.png with the
    sketch, the edges predicted during sampling and the image, enlarged. With --count, OUT is a sheet of all
    candidates, written anew with each, which lie beside it as OUT-SEED.png.

    \b
    Examples:
      lepbench sample --prompt "a red fish" --sketch fish.png --out red-fish.png
      lepbench sample --prompt "a red fish" --sketch fish.png --count 6 --out six-fish.png
      lepbench sample --prompt "a red fish" --sketch fish.png --model model.yaml --out x.png
      lepbench sample --prompt "a red fish" --sketch photo.jpg --resize --scale 2 --out red-fish.png
      lepbench sample --prompt "a red fish" --sketch fish.png --preset paper --out red-fish.png
      lepbench sample --prompt "a red fish" --sketch fish.png --importance mask.png --out red-fish.png
    """
    if out.suffix.lower() != ".png":
        raise LepbenchError(f"{out} does not end in .png", "pictures are written as PNG")
    if watch and count is None:
        raise LepbenchError("--watch shows a sheet", "add --count")
    check_pictures(sketch, importance)
    from lepbench.api.notes import list_request_notes
    from lepbench.bars import show_bars
    from lepbench.cli.sampled_model import choose_model, choose_own
    from lepbench.guidance.sketch import read_sketch
    from lepbench.methods import Request
    from lepbench.seeds import read_seed

    seeds = range(read_seed(seed), read_seed(seed + (count or 1) - 1) + 1)
    options = {"scale": scale, "stop": stop, **sampler}
    backbone, load, negative = (
        choose_own(backbone_name, predictor, preset, options, device=device, precision=precision)
        if model is None
        else choose_model(model, device)
    )
    size = backbone.choose_size(height, width)
    backbone.latent_shape(size)
    read = read_sketch(sketch, size, resize, backbone.vae_factor if thin else None)
    weights = None if importance is None else _read_importance(importance, size)
    notes = list_request_notes(backbone, [prompt], size, [negative])
    for note in (*_describe(read), *notes):
        say_note(note)
    method = load()
    method.check_size(size)
    requests = [Request(f"{one}.png", prompt, read.strokes, one, weights=weights) for one in seeds]
    with show_bars() as progress:
        if count is None:
            written = _write_picture(method, requests[0], out, progress)
        else:
            written = _write_candidates(method, requests, out, progress, watch=watch)
    click.echo(json.dumps({**written, "polarity": read.polarity, "thinned": read.thinned}))


def _write_picture(method: Method, request: Request, out: Path, progress: Progress) -> dict[str, Any]:
    """Draw one picture; write it and its strip, and say where."""
    from lepbench.files import write_bytes
    from lepbench.guidance.strip import draw_strip
    from lepbench.images import encode_png
    from lepbench.methods.drawn import draw_request
    from lepbench.panels import draw_strokes

    drawn = draw_request(method, request, progress)
    seen = [] if drawn.edges is None else [("predicted edges", drawn.edges)]
    panels = [("sketch", draw_strokes(request.sketch)), *seen, (request.prompt, drawn.picture)]
    strip = out.with_name(f"{out.stem}-strip.png")
    write_bytes(out, encode_png(drawn.picture))
    write_bytes(strip, encode_png(draw_strip(panels)))
    return {"picture": str(out), "strip": str(strip), "seed": request.seed}


def _write_candidates(
    method: Method, requests: Sequence[Request], out: Path, progress: Progress, *, watch: bool
) -> dict[str, Any]:
    """Draw a picture a request, write each and the sheet of all so far at once, and say where they are."""
    from lepbench.files import write_bytes
    from lepbench.guidance.strip import draw_candidates
    from lepbench.images import encode_png
    from lepbench.methods.drawn import draw_request

    places = [out.with_name(f"{out.stem}-{request.seed}.png") for request in requests]
    pictures = {}
    progress("pictures", 0, len(requests))
    for done, (request, place) in enumerate(zip(requests, places, strict=True), start=1):
        pictures[request.seed] = draw_request(method, request, progress).picture
        write_bytes(place, encode_png(pictures[request.seed]))
        write_bytes(out, encode_png(draw_candidates(request.prompt, request.sketch, pictures)))
        progress("pictures", done, len(requests))
        if watch:
            _show_sheet(out, done, len(requests))
    listed = [
        {"picture": str(place), "seed": request.seed} for place, request in zip(places, requests, strict=True)
    ]
    return {"sheet": str(out), "pictures": listed}


def _show_sheet(out: Path, done: int, total: int) -> None:
    """Show the sheet in the browser, where it follows the pictures."""
    from lepbench.publishing.pages.watching import open_in_browser, write_sheet_page

    page = out.with_suffix(".html")
    write_sheet_page(page, out, done, total)
    if done == 1:
        open_in_browser(page)


def _describe(sketch: Sketch) -> list[str]:
    """How a sketch was read, a line each."""
    thinned = "its thick strokes are redrawn as thin lines; --no-thin keeps them"
    return [f"sketch read as {sketch.polarity}", *([thinned] if sketch.thinned else []), *sketch.notes]


def _read_importance(path: Path, size: tuple[int, int]) -> NDArray[np.float32]:
    """Read weights of a sketch, and say so where they are all alike."""
    from lepbench.guidance.importance import find_uniform, read_weights

    weights = read_weights(path, size)
    if find_uniform(weights):
        say_note(f"{path} is the same everywhere: it changes nothing")
    return weights
