"""`lepbench sample`: generate one image from a prompt and a sketch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lepbench.errors import LepbenchError

if TYPE_CHECKING:
    from lepbench.backbones.load import Precision
    from lepbench.guidance.presets import Preset
    from lepbench.guidance.settings import SamplerSettings


@click.command("sample")
@click.option("--prompt", required=True, help="Text prompt.")
@click.option("--sketch", required=True, type=click.Path(path_type=Path), help="Image file of the sketch.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="PNG to write.")
@click.option(
    "--backbone", "model", default="mini@1", show_default=True, help="Embedded name, folder or hub id."
)
@click.option("--predictor", default="lep-mini@1", show_default=True, help="Embedded name, folder or hub id.")
@click.option(
    "--preset",
    default="fast",
    show_default=True,
    help="fast or paper: defaults of the next four options.",
)
@click.option("--scale", type=click.FloatRange(min=0), help="Sketch guidance scale.")
@click.option("--stop", type=click.FloatRange(0, 1), help="Guide while t > STOP x T.")
@click.option("--steps", type=int, help="Denoising steps.")
@click.option("--scheduler", help="Scheduler, by short name; flow_euler for flow matching.")
@click.option(
    "--cfg", "guidance_scale", default=4.0, show_default=True, help="Classifier-free guidance scale, from 1."
)
@click.option("--seed", default=0, show_default=True, help="Seed of the noise.")
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
def command(
    prompt: str,
    sketch: Path,
    out: Path,
    model: str,
    predictor: str,
    preset: str,
    scale: float | None,
    stop: float | None,
    seed: int,
    resize: bool,
    height: int | None,
    width: int | None,
    importance: Path | None,
    device: str,
    precision: Precision,
    **sampler: Any,
) -> None:
    """Generate an image of the prompt, guided by a sketch.

    The sketch may be black on white or white on black, in any image format. Writes the image and
    OUT-strip.png with the sketch, the edges predicted during sampling and the image, enlarged.

    \b
    Examples:
      lepbench sample --prompt "a red fish" --sketch fish.png --out red-fish.png
      lepbench sample --prompt "a red fish" --sketch photo.jpg --resize --scale 2 --out red-fish.png
      lepbench sample --prompt "a red fish" --sketch fish.png --preset paper --out red-fish.png
      lepbench sample --prompt "a red fish" --sketch fish.png --importance mask.png --out red-fish.png
    """
    if out.suffix.lower() != ".png":
        raise LepbenchError(f"{out} does not end in .png", "pictures are written as PNG")
    from lepbench.backbones.backbone import load_backbone
    from lepbench.bars import show_bars
    from lepbench.files import write_bytes
    from lepbench.guidance.draw import draw_picture
    from lepbench.guidance.presets import PRESETS
    from lepbench.guidance.sketch import read_sketch, read_weights
    from lepbench.images import encode_png
    from lepbench.predictors.base import Predictor

    chosen = PRESETS.get(preset)
    # Checked before anything is loaded, so that an error is reported at once.
    _settings(chosen, sampler, flow=False)
    backbone = load_backbone(model, device, precision)
    settings = _settings(chosen, sampler, backbone.family.flow)
    size = (height or backbone.image_size, width or backbone.image_size)
    backbone.latent_shape(size)
    strokes, polarity = read_sketch(sketch, size, resize)
    weights = None if importance is None else read_weights(importance, size)
    click.echo(f"sketch read as {polarity}", err=True)
    reader = Predictor.from_pretrained(predictor, backbone)
    with show_bars() as progress:
        drawing = draw_picture(
            backbone,
            reader,
            prompt,
            strokes,
            settings=settings,
            scale=chosen.scale if scale is None else scale,
            stop=chosen.stop if stop is None else stop,
            seed=seed,
            weights=weights,
            progress=progress,
        )
    strip = out.with_name(f"{out.stem}-strip.png")
    write_bytes(out, encode_png(drawing.picture))
    write_bytes(strip, encode_png(drawing.strip))
    click.echo(json.dumps({"picture": str(out), "strip": str(strip), "polarity": polarity, "seed": seed}))


def _settings(preset: Preset, options: dict[str, Any], flow: bool) -> SamplerSettings:
    """The sampler's settings: the command's options, and the preset's where there are none.

    Raises:
        LepbenchError: one is out of range, or no scheduler has that name.
    """
    from pydantic import ValidationError

    from lepbench.config import explain
    from lepbench.guidance.settings import SamplerSettings

    implied = preset.sampler() | ({"scheduler": "flow_euler"} if flow else {})
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return SamplerSettings.model_validate({**implied, **given})
    except ValidationError as error:
        raise LepbenchError(explain(error, SamplerSettings)) from error
