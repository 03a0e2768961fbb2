"""The same machinery on other spatial maps: pictures steered by where things are, or by how near their parts.

    python benchmarks/maps.py saliency --items 128 --out runs/saliency --picture docs/saliency.png
    python benchmarks/maps.py depth --out runs/depth --picture docs/depth.png

A predictor is trained on such maps of sketchworld (the targets of `benchmarks/predictors.py`), then scenes of
the test split are drawn on mini@1 with the fast preset, unguided and guided by their maps. What the pictures
show is read by a network that saw true pictures alone, and no predictor:

- saliency: the segmenter that ships; `mask_iou` is the overlap with the true mask.
- depth: a network of the segmenter's form, trained here on other scenes than the predictor; `absolute_error`
  is the mean distance from the true map over all pixels, in [0, 1], and `rank_correlation` Spearman's within
  the true mask, where what lies on what is all that differs. Scenes of one layer have none.

On stdout, as JSON: each figure of the true pictures, of unguided and of guided ones, and the paired gain of
guided over unguided, each with the ends of its 95 % interval. The picture shows true pictures, their maps,
what the predictor read at the last guided step, and both drawings.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from depth_reader import train_reader
from detectors import sheet
from numpy.typing import NDArray
from scene_maps import Scenes
from scipy.stats import spearmanr
from torch import Tensor

from lepbench.backbones import Backbone, load_backbone
from lepbench.bars import show_bars
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.presets import PRESETS
from lepbench.images import Pixels, to_pixels, to_tensor
from lepbench.judges.segmenter import load_segmenter
from lepbench.metrics.masks import mask_iou
from lepbench.metrics.statistics import bootstrap
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

Figures = dict[str, NDArray[np.float64]]
"""Of pictures, float64 [B] by name; nan of those that have none."""
Read = Callable[[Tensor], Tensor]
"""Pictures [B, 3, H, W] in [0, 1] to what is read in them, [B, H, W]."""


class Drawn(NamedTuple):
    """A batch of pictures, [B, 3, H, W] in [0, 1]; `read` is the map as the predictor read it last."""

    maps: Tensor
    unguided: Tensor
    read: Tensor
    guided: Tensor


def compare_masks(read: Tensor, masks: Tensor, maps: Tensor) -> Figures:
    return {"mask_iou": mask_iou(read, masks)}


def compare_depths(read: Tensor, masks: Tensor, maps: Tensor) -> Figures:
    inside = zip(read, maps, masks, strict=True)
    return {
        "absolute_error": (read - maps).abs().mean(dim=(1, 2)).double().numpy(),
        "rank_correlation": np.array([correlate(one[mask], true[mask]) for one, true, mask in inside]),
    }


def correlate(read: Tensor, true: Tensor) -> float:
    """Spearman's rank correlation of two [N]; nan where the truth is flat, 0 where only the reading is."""
    if true.min() == true.max():
        return float("nan")
    return float(spearmanr(read, true).statistic) if read.min() < read.max() else 0.0


COMPARE: dict[str, Callable[[Tensor, Tensor, Tensor], Figures]] = {
    "saliency": compare_masks,
    "depth": compare_depths,
}
"""Figures from what is read [B, H, W], the true masks, bool, and the true maps, in [0, 1], by kind of map."""


def trained(
    backbone: Backbone, out: Path, *, target: str, scenes: int, steps: int, progress: Progress
) -> Predictor:
    """A perceptron that reads maps of a kind."""
    data, held_out = (
        encode_triplets(backbone, Scenes(split, count, target), out / "cache", progress)
        for split, count in (("train", scenes), ("validation", 128))
    )
    config = TrainConfig.model_validate(
        {"data": "sketchworld", "predictor": "mlp", "steps": steps, "batch": 16, "checkpoint_every": 50}
    )
    train_on(config, backbone, data=data, held_out=held_out, out=out / "mlp", progress=progress)
    return Predictor.from_pretrained(out / "mlp", backbone)


def drawn(backbone: Backbone, predictor: Predictor, target: str, numbers: range, maps: Tensor) -> Drawn:
    """The scenes of these numbers, each from its own noise, along grey maps [B, H, W] in [0, 1]."""
    preset = PRESETS.get("fast")
    settings = SamplerSettings.model_validate(preset.sampler())
    prompts = [scene("test", number).caption for number in numbers]
    shape = backbone.latent_shape(backbone.image_size)
    start = torch.stack([draw_noise(derive_seed(target, number), shape) for number in numbers])
    wanted = backbone.encode_edges(maps)
    guidance = SketchGuidance(predictor, wanted, preset.scale, preset.stop)
    plain = sample(backbone, prompts, start, settings)
    steered = sample(backbone, prompts, start, settings, guidance=guidance)
    assert steered.edges is not None
    latents = (wanted, plain.latents, steered.edges, steered.latents)
    return Drawn(*(backbone.decode_latents(each) for each in latents))


def summarise(batches: list[dict[str, Figures]]) -> dict[str, dict[str, list[float]]]:
    """Each figure of each condition, and the paired gain: the mean, and the ends of its interval."""
    found: dict[str, dict[str, list[float]]] = {}
    for name in batches[0]["real"]:
        columns = {kind: np.concatenate([batch[kind][name] for batch in batches]) for kind in batches[0]}
        known = ~np.isnan(columns["real"])
        draws = {kind: bootstrap(column[known], seed=0) for kind, column in columns.items()}
        draws["gain"] = draws["guided"].minus(draws["unguided"])
        found[name] = {kind: [round(end, 4) for end in each.interval()] for kind, each in draws.items()}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", choices=COMPARE)
    parser.add_argument("--out", type=Path, required=True, help="folder of what is trained")
    parser.add_argument("--scenes", type=int, default=1024, help="to train on")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--items", type=int, default=64, help="scenes to draw")
    parser.add_argument("--picture", type=Path)
    chosen = parser.parse_args()
    backbone = load_backbone("mini@1")
    triplets = Scenes("test", chosen.items, chosen.target)
    batches: list[dict[str, Figures]] = []
    rows: list[list[tuple[str, Pixels]]] = []
    with show_bars() as progress:
        sizes = {"scenes": chosen.scenes, "steps": chosen.steps}
        predictor = trained(backbone, chosen.out, target=chosen.target, **sizes, progress=progress)
        if chosen.target == "depth":
            read: Read = train_reader(chosen.out / "reader", **sizes, progress=progress)
        else:
            read = load_segmenter()
        show_drawing = partial(progress, "drawing")
        for first in range(0, chosen.items, BATCH):
            numbers = range(first, min(first + BATCH, chosen.items))
            real = np.stack([triplets[number].image for number in numbers])
            maps = torch.from_numpy(np.stack([triplets[number].edges for number in numbers])) / 255
            masks = torch.from_numpy(np.stack([render(scene("test", number)).mask for number in numbers]))
            made = drawn(backbone, predictor, chosen.target, numbers, maps=maps)
            shown = {"real": to_tensor(real), "unguided": made.unguided, "guided": made.guided}
            compare = COMPARE[chosen.target]
            batches.append({kind: compare(read(images), masks, maps) for kind, images in shown.items()})
            pictures = [real, *(to_pixels(each) for each in (made.maps, made.read, *made[1::2]))]
            rows += [list(zip(COLUMNS, row, strict=True)) for row in zip(*pictures, strict=True)]
            show_drawing(numbers.stop, chosen.items)
    print(json.dumps({"target": chosen.target, "items": chosen.items, **summarise(batches)}))
    if chosen.picture:
        sheet(rows[:SHOWN]).save(chosen.picture, optimize=True)


if __name__ == "__main__":
    main()
