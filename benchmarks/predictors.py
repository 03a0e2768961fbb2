"""The kinds of predictor on mini@1 and sketchworld, trained alike: held-out error, size and time.

    python benchmarks/predictors.py --out runs/predictors > docs/predictors.csv
    python benchmarks/predictors.py --out runs/predictors-saliency --target saliency --kinds mlp
    python benchmarks/predictors.py --out runs/early --kinds "mlp early" --triplets 3000 --steps 600

All are trained on the same scenes, steps and noise, and judged on scenes of another split. Errors are mean
squared errors in latent units: over thirds of the schedule, from the least noise to the most, and on the
latents that a stroke passes through; `variance` is what always answering the mean gives. `edge_f1_1px` is how
close pictures come that each steers, the fast preset's, on items of the suite, with the ends of its interval;
other targets than edges have none. Seconds are those of a training step, U-Net included, timed at the end in
turn, the best of the rounds. The same command goes on after an interruption.

The target `saliency` is no edge map but a soft one of where things are, and `depth` says how near their parts
are: any spatial map will do.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from guidance import SUITE, Bench, model_of, told_of
from scene_maps import TARGETS, Scenes

from lepbench.backbones import Backbone, load_backbone
from lepbench.bars import show_bars
from lepbench.guidance.presets import PRESETS
from lepbench.predictors import Predictor
from lepbench.predictors.config import WEIGHTS_FILE
from lepbench.predictors.features import NoisyFeatures
from lepbench.predictors.heldout import measure_held_out_curve
from lepbench.predictors.latents import EncodedTriplets, encode_triplets
from lepbench.predictors.losses import LOSSES
from lepbench.predictors.train import train_on
from lepbench.predictors.train_config import TrainConfig
from lepbench.progress import Progress
from lepbench.suites import load_suite

KINDS: dict[str, dict[str, object]] = {
    "mlp": {"predictor": "mlp"},
    "mlp noise-map": {"predictor": {"name": "mlp", "time": "noise-map"}},
    "mlp balanced": {"predictor": "mlp", "loss": "balanced"},
    "aggregated": {"predictor": "aggregated"},
    "unet": {"predictor": "unet"},
    # Of mini@1; a gradient goes back through the down and middle blocks alone.
    "mlp early": {
        "predictor": "mlp",
        "taps": [
            "down_blocks[0].resnets[-1]",
            "down_blocks[1].attentions[-1]",
            "down_blocks[2].attentions[-1]",
            "mid_block.resnets[0]",
            "mid_block.attentions[0]",
            "mid_block.resnets[1]",
        ],
    },
}
PARTS = 9
"""Of the schedule, judged at the middle of each."""
COLUMNS = [
    "kind",
    "parameters",
    "mse_low",
    "mse_middle",
    "mse_high",
    "stroke_mse",
    "variance",
    "edge_f1_1px",
    "edge_f1_1px_low",
    "edge_f1_1px_high",
    "seconds_a_step",
]
ROUNDS = 5


def step_seconds(
    backbone: Backbone, predictors: dict[str, Predictor], data: EncodedTriplets, batch: int
) -> dict[str, float]:
    """Of each, one forward and backward pass over a batch, with the U-Net's forward pass."""
    rows = torch.arange(batch) % len(data)
    noise = torch.randn(data.images[rows].shape, generator=torch.Generator().manual_seed(0))
    timesteps = torch.arange(batch) * backbone.train_timesteps // batch
    best = dict.fromkeys(predictors, float("inf"))
    for _ in range(ROUNDS):
        for name, predictor in predictors.items():
            predictor.requires_grad_(True).train()
            loss = LOSSES[str(KINDS[name].get("loss", "mse"))]
            started = time.perf_counter()
            predicted = NoisyFeatures(backbone, predictor).predict(
                data.images[rows], noise, timesteps, data.text(rows)
            )
            loss(predicted, data.edges[rows], data.strokes[rows]).backward()
            best[name] = min(best[name], time.perf_counter() - started)
    return best


def errors(
    backbone: Backbone, predictor: Predictor, held_out: EncodedTriplets, progress: Progress
) -> list[str]:
    """The cells of thirds, strokes and variance."""
    curve = measure_held_out_curve(backbone, predictor, held_out, progress=progress, bins=PARTS)
    third = PARTS // 3
    thirds = [
        np.mean([part.mse for part in curve[start : start + third]]) for start in range(0, PARTS, third)
    ]
    figures = [*thirds, np.mean([part.stroke_mse for part in curve]), curve[0].target_variance]
    return [f"{figure:.4f}" for figure in figures]


def steered(bench: Bench, name: str, folder: Path, predictor: Predictor, progress: Progress) -> list[str]:
    """The cells of edge F1, of pictures that the predictor of a folder steers."""
    # Of these very weights: a folder that was trained anew is another line.
    line = f"{name.replace(' ', '-')}-{predictor.weights_sha256()[WEIGHTS_FILE][:8]}"
    preset = PRESETS.get("fast")
    model = model_of(line, preset.sampler(), {"predictor": str(folder), **preset.steering()})
    found = bench.line(line, model, partial(told_of, progress, name))
    return [f"{found[f'edge_f1_1px{end}']:.4f}" for end in ("", "_low", "_high")]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--target", choices=TARGETS, default="edges")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--triplets", type=int, default=512)
    parser.add_argument("--held-out", type=int, default=128)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--items", type=int, default=64, help="of the suite, to steer along")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    backbone = load_backbone("mini@1")
    bench = Bench(load_suite(SUITE), 0, arguments.items, arguments.out / "runs")
    cache = arguments.out / "cache"
    predictors, rows = {}, {}
    with show_bars() as progress:

        def encoded(split: str, count: int) -> EncodedTriplets:
            return encode_triplets(backbone, Scenes(split, count, arguments.target), cache, progress)

        data = encoded("train", arguments.triplets)
        held_out = encoded("validation", arguments.held_out)
        for name in arguments.kinds:
            config = TrainConfig.model_validate(
                {
                    "data": "sketchworld",
                    "steps": arguments.steps,
                    "batch": arguments.batch,
                    "checkpoint_every": 25,
                    **KINDS[name],
                }
            )
            folder = arguments.out / name.replace(" ", "-")

            def told(stage: str, done: int, total: int, name: str = name) -> None:
                progress(f"{name}: {stage}", done, total)

            train_on(config, backbone, data=data, held_out=held_out, out=folder, progress=told)
            predictors[name] = Predictor.from_pretrained(folder, backbone)
            rows[name] = errors(backbone, predictors[name], held_out, told)
            if arguments.target == "edges":
                rows[name] += steered(bench, name, folder, predictor=predictors[name], progress=progress)
            else:
                rows[name] += [""] * 3
        seconds = step_seconds(backbone, predictors, data, arguments.batch)
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(COLUMNS)
    for name, predictor in predictors.items():
        parameters = sum(parameter.numel() for parameter in predictor.parameters())
        table.writerow([name, parameters, *rows[name], f"{seconds[name]:.3f}"])


if __name__ == "__main__":
    main()
