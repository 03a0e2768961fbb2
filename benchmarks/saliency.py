"""The same machinery on another spatial map: pictures steered by where things are, not by their edges.

    python benchmarks/saliency.py --out runs/saliency --picture docs/saliency.png

A predictor is trained on soft masks of the things in sketchworld (`benchmarks/predictors.py`, target
`saliency`), then scenes of the test split are drawn on mini@1 with the fast preset, unguided and guided by
their masks. On stdout, as JSON: the overlap of the masks that the segmenter finds with the true ones
(`mask_iou`), for both and for their paired difference, each with the ends of its 95 % interval. The picture
shows true pictures, their maps, what the predictor read at the last guided step, and both drawings.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from detectors import sheet
from predictors import Scenes
from torch import Tensor

from lepbench.backbones import Backbone, load_backbone
from lepbench.bars import show_bars
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.presets import PRESETS
from lepbench.images import Pixels, to_pixels
from lepbench.judges.segmenter import load_segmenter
from lepbench.metrics.masks import mask_iou
from lepbench.metrics.statistics import Draws, bootstrap
from lepbench.predictors import Predictor
from lepbench.predictors.latents import encode_triplets
from lepbench.predictors.train import train_on
from lepbench.predictors.train_config import TrainConfig
from lepbench.progress import Progress
from lepbench.seeds import derive_seed, draw_noise
from lepbench.sketchworld import render, scene

BATCH = 16
SHOWN = 6
COLUMNS = ("true picture", "its map", "map as read", "unguided", "guided")


class Drawn(NamedTuple):
    """A batch of pictures, [B, 3, H, W] in [0, 1]; `read` is the map as the predictor read it last."""

    maps: Tensor
    unguided: Tensor
    read: Tensor
    guided: Tensor


def trained(backbone: Backbone, out: Path, scenes: int, steps: int, progress: Progress) -> Predictor:
    """A perceptron that reads saliency."""
    data, held_out = (
        encode_triplets(backbone, Scenes(split, count, "saliency"), out / "cache", progress)
        for split, count in (("train", scenes), ("validation", 128))
    )
    config = TrainConfig.model_validate(
        {"data": "sketchworld", "predictor": "mlp", "steps": steps, "batch": 16, "checkpoint_every": 50}
    )
    train_on(config, backbone, data=data, held_out=held_out, out=out / "mlp", progress=progress)
    return Predictor.from_pretrained(out / "mlp", backbone)


def drawn(backbone: Backbone, predictor: Predictor, numbers: range, maps: Tensor) -> Drawn:
    """The scenes of these numbers, each from its own noise, along grey maps [B, H, W] in [0, 1]."""
    preset = PRESETS.get("fast")
    settings = SamplerSettings.model_validate(preset.sampler())
    prompts = [scene("test", number).caption for number in numbers]
    shape = backbone.latent_shape(backbone.image_size)
    start = torch.stack([draw_noise(derive_seed("saliency", number), shape) for number in numbers])
    target = backbone.encode_edges(maps)
    guidance = SketchGuidance(predictor, target, preset.scale, preset.stop)
    plain = sample(backbone, prompts, start, settings)
    steered = sample(backbone, prompts, start, settings, guidance=guidance)
    assert steered.edges is not None
    latents = (target, plain.latents, steered.edges, steered.latents)
    return Drawn(*(backbone.decode_latents(each) for each in latents))


def told(draws: Draws) -> list[float]:
    return [round(end, 4) for end in draws.interval()]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the predictor")
    parser.add_argument("--scenes", type=int, default=1024, help="to train on")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--items", type=int, default=128, help="scenes to draw")
    parser.add_argument("--picture", type=Path)
    chosen = parser.parse_args()
    backbone = load_backbone("mini@1")
    segmenter = load_segmenter()
    triplets = Scenes("test", chosen.items, "saliency")
    overlaps: list[np.ndarray] = []
    rows: list[list[tuple[str, Pixels]]] = []
    with show_bars() as progress:
        predictor = trained(backbone, chosen.out, chosen.scenes, steps=chosen.steps, progress=progress)
        show_drawing = partial(progress, "drawing")
        for first in range(0, chosen.items, BATCH):
            numbers = range(first, min(first + BATCH, chosen.items))
            maps = torch.from_numpy(np.stack([triplets[number].edges for number in numbers])) / 255
            made = drawn(backbone, predictor, numbers, maps)
            true = torch.from_numpy(np.stack([render(scene("test", number)).mask for number in numbers]))
            overlaps.append(
                np.stack([mask_iou(segmenter(made.unguided), true), mask_iou(segmenter(made.guided), true)])
            )
            pictures = [np.stack([triplets[number].image for number in numbers]), *map(to_pixels, made[:1])]
            pictures += [to_pixels(made.read), to_pixels(made.unguided), to_pixels(made.guided)]
            rows += [list(zip(COLUMNS, row, strict=True)) for row in zip(*pictures, strict=True)]
            show_drawing(numbers.stop, chosen.items)
    unguided, guided = (bootstrap(column, seed=0) for column in np.concatenate(overlaps, axis=1))
    figures = {"unguided": told(unguided), "guided": told(guided), "gain": told(guided.minus(unguided))}
    print(json.dumps({"items": chosen.items, **figures}))
    if chosen.picture:
        sheet(rows[:SHOWN]).save(chosen.picture, optimize=True)


if __name__ == "__main__":
    main()
