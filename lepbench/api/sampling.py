"""One call from a prompt and a sketch to a picture."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from lepbench.api.counts import require_whole
from lepbench.api.notes import list_request_notes
from lepbench.api.progress import ShowProgress, follow_progress
from lepbench.backbones import Backbone
from lepbench.backbones.assemble import load_backbone
from lepbench.backbones.finite import NotFinite
from lepbench.backbones.load import Precision, choose_device
from lepbench.config import parse_config
from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings
from lepbench.guidance.importance import find_uniform
from lepbench.guidance.presets import PRESETS, Preset
from lepbench.guidance.prompts import read_negatives, read_prompts
from lepbench.guidance.schedulers import imply_sampler
from lepbench.guidance.sketch_like import SketchLike, read_strokes
from lepbench.images import to_pixels
from lepbench.methods import LepConfig, Method, Request
from lepbench.methods.lep import Lep
from lepbench.methods.unguided import Unguided
from lepbench.predictors import Predictor
from lepbench.seeds import read_seed

Sketches = SketchLike | Sequence[SketchLike]


def sample(
    prompt: str | Sequence[str],
    sketch: Sketches | None = None,
    *,
    backbone: str | Path | Backbone = "mini@1",
    predictor: str | Path | Predictor = "lep-mini@1",
    preset: str = "fast",
    scale: float | None = None,
    stop: float | None = None,
    steps: int | None = None,
    scheduler: str | None = None,
    guidance_scale: float = 4.0,
    negative_prompt: str | Sequence[str] = "",
    seed: int = 0,
    count: int | None = None,
    height: int | None = None,
    width: int | None = None,
    weights: ArrayLike | None = None,
    thin: bool = True,
    device: str = "auto",
    precision: Precision = "float32",
    progress: ShowProgress = True,
) -> Any:
    """Draw a prompt along the lines of a sketch, as `lepbench sample` does.

    Args:
        prompt: a text, or several.
        sketch: a path, PIL image, array or tensor, black on white or white on black; one for all prompts, or
            one each. It is fitted to the picture's size. None: the backbone alone.
        backbone: an embedded name, a folder, a hub id, or a loaded one.
        predictor: the same; it must have been trained on that backbone.
        preset: "fast", "turbo", "live" or "paper": what the next four are unless given.
        scale: the paper's beta, the length of a shift in lengths of the ordinary step.
        stop: guide while t > stop x T_train.
        steps: of the sampler.
        scheduler: of the sampler, by its short name.
        guidance_scale: classifier-free guidance of the prompt; up to 1 (Z-Image: 0) there is none.
        negative_prompt: what is not wanted, one text for all prompts or one each: the unconditional half of
            classifier-free guidance reads it.
        seed: of the first picture's noise; the next one's is one more.
        count: pictures of each prompt.
        height: of the pictures in px; that of the model's training unless given.
        width: likewise.
        weights: float [height, width] from 0 up, how much the sketch matters at each pixel.
        thin: redraw strokes that are as wide as a latent pixel as thin lines.
        device: of the backbone; a loaded one stays where it is.
        precision: of the backbone's weights; a loaded one stays as it is.
        progress: True for a bar on stderr, False for nothing, or a callback (stage, done, total).

    Returns:
        A PIL image; a list of them for several prompts or with `count`, the pictures of a prompt together.

    Warns of words and sizes that the backbone was not trained on, of a sketch whose reading is doubtful or
    whose strokes were thinned.

    Raises:
        LepbenchError: a model cannot be found, a sketch has no strokes, a size cannot be drawn, a picture is
            not finite, or nothing reads a negative prompt.

    Example:
        >>> import lepbench
        >>> suite = lepbench.load_suite("sketchworld-edges-v1")
        >>> picture = lepbench.sample(suite[0].prompt, suite[0].sketch, steps=2, progress=False, device="cpu")
        >>> picture.size
        (64, 64)
    """
    prompts = read_prompts(prompt)
    negatives = read_negatives(negative_prompt, len(prompts))
    first, each = read_seed(seed), 1 if count is None else count
    require_whole("count", each, least=1, things="pictures")
    chosen = PRESETS.get(preset)
    model = backbone if isinstance(backbone, Backbone) else _load(_pin(backbone), device, precision)
    settings = _choose_settings(
        chosen, model, steps=steps, scheduler=scheduler, guidance_scale=guidance_scale
    )
    size = model.choose_size(height, width)
    model.latent_shape(size)
    model.require_negatives(guidance_scale, negatives)
    for note in list_request_notes(model, prompts, size, negatives):
        warnings.warn(note, stacklevel=2)
    method: Method = Unguided(model, settings)
    if sketch is not None:
        given = {"scale": scale, "stop": stop}
        steering = chosen.steering() | {key: value for key, value in given.items() if value is not None}
        config = parse_config(steering, LepConfig, "")
        method = Lep(model, settings, _choose_predictor(predictor, model), config)
    cell = model.vae_factor if thin else None
    strokes = (
        np.zeros((len(prompts), *size), np.bool_)
        if sketch is None
        else read_strokes(sketch, len(prompts), size, cell)
    )
    mattering = None if weights is None else _read_weights(weights, size)
    wanted = [each_of for each_of in zip(prompts, strokes, negatives, strict=True) for _ in range(each)]
    requests = [
        Request(f"{number}.png", text, lines, first + number, weights=mattering, negative_prompt=unwanted)
        for number, (text, lines, unwanted) in enumerate(wanted)
    ]
    pictures = []
    with follow_progress(progress) as show:
        for done, request in enumerate(requests, start=1):
            # Alone, so that a picture does not depend on the others.
            try:
                drawn = method.draw([request])
            except NotFinite as error:
                raise LepbenchError(f"picture {done} of {len(requests)} failed: {error}") from error
            pictures.append(Image.fromarray(to_pixels(drawn)[0]))
            show("pictures", done, len(requests))
    return pictures[0] if isinstance(prompt, str) and count is None else pictures


def _read_weights(weights: ArrayLike, size: tuple[int, int]) -> NDArray[np.float32]:
    """Weights as float32 [height, width]; those that are all alike are worth a warning.

    Raises:
        LepbenchError: they have another shape.
    """
    if np.shape(weights) != size:
        raise LepbenchError(
            f"weights of shape {np.shape(weights)} for a picture of {size}", "give one weight a pixel"
        )
    values = np.asarray(weights, np.float32)
    if find_uniform(values):
        warnings.warn("the weights are the same everywhere: they change nothing", stacklevel=3)
    return values


def _pin(backbone: str | Path) -> str:
    """A name that means the same whatever the working folder is.

    Raises:
        LepbenchError: it is no name.
    """
    if not isinstance(backbone, str | Path):
        raise LepbenchError(
            f"a {type(backbone).__name__} is no backbone",
            "give a name, a folder or load_backbone(...); wrap a pipeline by SketchGuidedPipeline.from_pipe",
        )
    return str(Path(backbone).resolve() if Path(backbone).is_dir() else backbone)


@lru_cache(maxsize=1)
def _load(name: str, device: str, precision: Precision) -> Backbone:
    """A backbone, kept for the next call."""
    return load_backbone(name, choose_device(device), precision)


def _choose_predictor(predictor: str | Path | Predictor, backbone: Backbone) -> Predictor:
    if not isinstance(predictor, Predictor):
        return Predictor.from_pretrained(predictor, backbone)
    predictor.require_fit(backbone)
    return predictor.eval()


def _choose_settings(
    preset: Preset,
    backbone: Backbone,
    *,
    steps: int | None,
    scheduler: str | None,
    guidance_scale: float,
) -> SamplerSettings:
    """The preset's settings, and those that are given; some backbones have a scheduler of their own."""
    options = {"steps": steps, "scheduler": scheduler, "guidance_scale": guidance_scale}
    given = {key: value for key, value in options.items() if value is not None}
    return parse_config(preset.sampler(imply_sampler(backbone) | given), SamplerSettings, "")
