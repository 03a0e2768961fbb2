"""`lepbench sample`: generate images from a prompt and a sketch."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
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
    from lepbench.guidance.draw import DrawnPicture
    from lepbench.guidance.presets import Preset
    from lepbench.guidance.settings import SamplerSettings
    from lepbench.guidance.sketch import Sketch
    from lepbench.images import Pixels
    from lepbench.progress import Progress

    Draw = Callable[..., DrawnPicture]


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
@click.option(
    "--backbone", "model", default="mini@1", show_default=True, help="Embedded name, folder or hub id."
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
    model: str,
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
    candidates, and each lies beside it as OUT-SEED.png.

    \b
    Examples:
      lepbench sample --prompt "a red fish" --sketch fish.png --out red-fish.png
      lepbench sample --prompt "a red fish" --sketch fish.png --count 6 --out six-fish.png
      lepbench sample --prompt "a red fish" --sketch photo.jpg --resize --scale 2 --out red-fish.png
      lepbench sample --prompt "a red fish" --sketch fish.png --preset paper --out red-fish.png
      lepbench sample --prompt "a red fish" --sketch fish.png --importance mask.png --out red-fish.png
    """
    if out.suffix.lower() != ".png":
        raise LepbenchError(f"{out} does not end in .png", "pictures are written as PNG")
    check_pictures(sketch, importance)
    from lepbench.api.notes import list_request_notes
    from lepbench.backbones.assemble import load_backbone
    from lepbench.bars import show_bars
    from lepbench.config import parse_config
    from lepbench.guidance.draw import draw_picture
    from lepbench.guidance.presets import PRESETS
    from lepbench.guidance.schedulers import imply_sampler
    from lepbench.guidance.sketch import read_sketch
    from lepbench.guidance.strip import draw_candidates
    from lepbench.methods.lep import LepConfig
    from lepbench.predictors.base import Predictor
    from lepbench.seeds import read_seed

    chosen = PRESETS.get(preset)
    given = {key: value for key, value in (("scale", scale), ("stop", stop)) if value is not None}
    # Checked before anything is loaded, so that an error is reported at once.
    _settings(chosen, {}, sampler)
    steering = parse_config(chosen.steering() | given, LepConfig, "")
    backbone = load_backbone(model, device, precision)
    settings = _settings(chosen, imply_sampler(backbone), sampler)
    size = backbone.choose_size(height, width)
    backbone.latent_shape(size)
    backbone.require_negatives(settings.guidance_scale, [settings.negative_prompt])
    read = read_sketch(sketch, size, resize, backbone.vae_factor if thin else None)
    weights = None if importance is None else _read_importance(importance, size)
    notes = list_request_notes(backbone, [prompt], size, [settings.negative_prompt])
    for note in (*_describe(read), *notes):
        say_note(note)
    reader = Predictor.from_pretrained(predictor, backbone)
    seeds = range(read_seed(seed), read_seed(seed + (count or 1) - 1) + 1)
    with show_bars() as progress:
        draw = partial(
            draw_picture,
            backbone=backbone,
            guide=steering.steer(reader),
            prompt=prompt,
            strokes=read.strokes,
            settings=settings,
            weights=weights,
            progress=progress,
        )
        if count is None:
            written = _write_picture(draw, out, seed)
        else:
            lay_out = partial(draw_candidates, prompt, read.strokes)
            written = _write_candidates(draw, out, seeds, lay_out=lay_out, progress=progress)
    click.echo(json.dumps({**written, "polarity": read.polarity, "thinned": read.thinned}))


def _write_picture(draw: Draw, out: Path, seed: int) -> dict[str, Any]:
    """Draw one picture; write it and its strip, and say where."""
    from lepbench.files import write_bytes
    from lepbench.images import encode_png

    drawing = draw(seed=seed)
    strip = out.with_name(f"{out.stem}-strip.png")
    write_bytes(out, encode_png(drawing.picture))
    write_bytes(strip, encode_png(drawing.strip))
    return {"picture": str(out), "strip": str(strip), "seed": seed}


def _write_candidates(
    draw: Draw,
    out: Path,
    seeds: range,
    *,
    lay_out: Callable[[dict[int, Pixels]], Pixels],
    progress: Progress,
) -> dict[str, Any]:
    """Draw a picture for every seed and write each at once, at the end the sheet of all, and say where."""
    from lepbench.files import write_bytes
    from lepbench.images import encode_png

    places = {seed: out.with_name(f"{out.stem}-{seed}.png") for seed in seeds}
    pictures = {}
    progress("pictures", 0, len(seeds))
    for done, (seed, place) in enumerate(places.items(), start=1):
        pictures[seed] = draw(seed=seed).picture
        write_bytes(place, encode_png(pictures[seed]))
        progress("pictures", done, len(seeds))
    write_bytes(out, encode_png(lay_out(pictures)))
    listed = [{"picture": str(place), "seed": seed} for seed, place in places.items()]
    return {"sheet": str(out), "pictures": listed}


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


def _settings(preset: Preset, implied: dict[str, Any], options: dict[str, Any]) -> SamplerSettings:
    """The sampler's settings: the command's options, then those that a backbone implies, then the preset's.

    Raises:
        LepbenchError: one is out of range, or no scheduler has that name.
    """
    from lepbench.config import parse_config
    from lepbench.guidance.settings import SamplerSettings

    given = {name: value for name, value in options.items() if value is not None}
    return parse_config(preset.sampler(implied | given), SamplerSettings, "")
