"""Seconds and memory of one guided step: ours against a literal rendering, an unguided step, and the floor.

    python benchmarks/guided_step.py --json

The U-Net has Stable Diffusion 1.5's configuration and random weights, the predictor the paper's layers. A
step is batch 1 under classifier-free guidance, DDIM's arithmetic included. The four are timed in turn and
medians told. Floor: two forward passes, and one backward pass from the taps to the latent.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import diffusers
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from lepbench.backbones import Backbone, Conditioning
from lepbench.backbones.family import TextParts
from lepbench.backbones.known import known, whole
from lepbench.backbones.sd import StableDiffusion
from lepbench.backbones.taps import tapped
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.gradient import recorded_until_read
from lepbench.predictors import MlpConfig, MlpPredictor

CFG = 7.5
STEP = SamplerSettings(steps=1, guidance_scale=CFG)
TINY = {"block_out_channels": [32, 64, 128, 128]}
"""What differs in a U-Net that is quick to try."""


class AnyText(StableDiffusion):
    """Captions are noise: what a step costs does not depend on them."""

    def encode(self, text: TextParts, prompts: Sequence[str]) -> Conditioning:
        width = text.denoiser["cross_attention_dim"]
        return Conditioning({"embeddings": torch.randn(1, 77, width).expand(len(prompts), -1, -1)})


def random_backbone(tiny: bool) -> Backbone:
    """The U-Net with random weights; the VAE has shapes only, and no text encoder is needed."""
    model, family = known()["sd15"], AnyText()
    config = whole(family, {**model.denoiser, **(TINY if tiny else {})})
    unet = diffusers.UNet2DConditionModel.from_config(config).eval().requires_grad_(False)
    with torch.device("meta"):
        vae = diffusers.AutoencoderKL.from_config(model.vae)
    return Backbone(
        name="sd15, random weights",
        folder=Path(),
        family=family,
        denoiser=unet,
        vae=vae,
        text=TextParts({}, {}, {}, unet.config, torch.device("cpu")),
        # One step of DDIM is then at t = 1, which is guided.
        scheduler={**model.scheduler, "steps_offset": 1},
        taps=family.positions(unet.config),
        device=torch.device("cpu"),
        dtype=torch.float32,
    )


class LiteralPredictor(nn.Module):
    """The perceptron over all taps, brought to the latent's size and concatenated first."""

    def __init__(self, channels: int, hidden: Sequence[int]) -> None:
        super().__init__()
        widths = [channels + 1, *hidden]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.ReLU(), nn.BatchNorm1d(after)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], 4))

    def forward(self, features: Sequence[Tensor], time: Tensor, size: tuple[int, int]) -> Tensor:
        """`time` is t / T of every sample, `[B]`."""
        resized = [F.interpolate(f, size=size, mode="bilinear") for f in features]
        table = torch.cat([*resized, time[:, None, None, None].expand(-1, 1, *size)], dim=1)
        batch, channels = table.shape[:2]
        predicted = self.layers(table.movedim(1, -1).reshape(-1, channels))
        out: Tensor = predicted.reshape(batch, *size, 4).movedim(-1, 1)
        return out


class Contest:
    """The four ways through one step, on the same networks and noise."""

    def __init__(self, backbone: Backbone, side: int, hidden: tuple[int, ...]) -> None:
        self.backbone, self.size = backbone, (side, side)
        self.unet = backbone.denoiser
        self.noise = torch.randn(1, 4, side, side)
        self.target = torch.randn(1, 4, side, side)
        channels = backbone.tap_channels
        options = {"taps": channels, "out_channels": 4, "train_timesteps": 1000, "hidden": hidden}
        self.predictor = MlpPredictor(MlpConfig(**options)).eval().requires_grad_(False)
        self.guidance = self.guided_by(1.6, 0.0)
        self.literal_predictor = LiteralPredictor(sum(channels.values()), hidden).eval()
        self.told = backbone.encode_prompts(["", ""])
        self.timestep = torch.tensor(1)

    def guided_by(self, scale: float, stop: float) -> SketchGuidance:
        """The predictor's pull towards the target."""
        return SketchGuidance(self.predictor, self.target, scale, stop)

    def plain(self) -> object:
        """An unguided step."""
        return sample(self.backbone, [""], self.noise, STEP)

    def guided(self) -> object:
        """A guided step of ours."""
        drawn = sample(self.backbone, [""], self.noise, STEP, self.guidance)
        assert drawn.edges is not None, "the step was not guided"
        return drawn

    def literal(self) -> object:
        """A guided step as it is usually written: both halves in the graph, every parameter alive."""
        self.unet.requires_grad_(True)
        scheduler = diffusers.DDIMScheduler(**self.backbone.scheduler)
        scheduler.set_timesteps(1)
        leaf = self.noise.clone().requires_grad_()
        with tapped(self.unet, self.backbone.taps) as features:
            both = self.unet(torch.cat([leaf, leaf]), self.timestep, self.told["embeddings"]).sample
        maps = [f[0] if isinstance(f, tuple) else f for f in (features[name] for name in self.backbone.taps)]
        _, edges = self.literal_predictor(maps, torch.full((2,), 0.001), self.size).chunk(2)
        loss = (edges - self.target).square().sum()
        (gradient,) = torch.autograd.grad(loss, leaf)
        self.unet.requires_grad_(False)
        with torch.no_grad():
            without, conditional = both.chunk(2)
            after = scheduler.step(without + CFG * (conditional - without), 1, leaf).prev_sample
            return after - 1.6 * (after - leaf).norm() / gradient.norm() * gradient

    def floor(self) -> object:
        """Two forward passes, one backward pass from the taps."""
        one = self.told.take(torch.tensor([0]))
        with torch.no_grad():
            self.backbone.predict(self.noise, self.timestep, one)
        leaf = self.noise.clone().requires_grad_()
        with torch.enable_grad(), recorded_until_read(self.unet, self.backbone.taps):
            # Not the leaf itself: the counter of operations hangs hooks on the inputs of modules.
            _, features = self.backbone.read(leaf.clone(), self.timestep, one, self.backbone.taps)
        tops = list(features.values())
        return torch.autograd.grad(tops, leaf, [torch.ones_like(top) for top in tops])


def saved_bytes(work: Callable[[], object], parameters: set[int]) -> int:
    """Bytes kept for the way back, each storage once, parameters left out."""
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        work()
    return sum(kept.values())


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """On the clock, and of processors."""
    started, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - busy


def flops(work: Callable[[], object]) -> int:
    """Floating point operations of convolutions, products and attention."""
    counter = FlopCounterMode(display=False)
    with counter:
        work()
    return int(counter.get_total_flops())


def measure(contest: Contest, rounds: int) -> dict[str, Any]:
    """Medians of the interleaved rounds, and what each keeps in memory."""
    ways = [contest.plain, contest.literal, contest.guided, contest.floor]
    networks = (contest.unet, contest.literal_predictor, contest.predictor)
    parameters = {p.untyped_storage().data_ptr() for network in networks for p in network.parameters()}
    saved, literal_saved = (saved_bytes(way, parameters) for way in (contest.guided, contest.literal))
    times: list[list[float]] = []
    for number in range(rounds):
        # Each goes first as often as the others: what ran before leaves its mark on caches and memory.
        order = [(number + place) % len(ways) for place in range(len(ways))]
        taken = {place: seconds(ways[place]) for place in order}
        clock, busy = zip(*(taken[place] for place in range(len(ways))), strict=True)
        times.append(list(clock))
        said, used = (", ".join(f"{s:.2f}" for s in row) for row in (clock, busy))
        load = f"load {os.getloadavg()[0]:.1f}"
        print(f"round {number + 1} of {rounds}: {said} s; of processors {used} s; {load}", file=sys.stderr)
    plain, literal, guided, floor = (statistics.median(column) for column in zip(*times, strict=True))
    return {
        "plain_s": plain,
        "literal_s": literal,
        "guided_s": guided,
        "floor_s": floor,
        "ratio": literal / guided,
        "floor_ratio": guided / floor,
        "saved_bytes": saved,
        "literal_saved_bytes": literal_saved,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--side", type=int, default=32, help="of the latent")
    parser.add_argument("--tiny", action="store_true", help="a narrow U-Net, to try the benchmark itself")
    parser.add_argument("--flops", action="store_true", help="count the floor's operations too")
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    chosen = parser.parse_args()
    torch.manual_seed(0)
    hidden = (64, 32) if chosen.tiny else (512, 256, 128, 64)
    contest = Contest(random_backbone(chosen.tiny), chosen.side, hidden)
    found = measure(contest, chosen.rounds)
    if chosen.flops:
        found["floor_flops"] = flops(contest.floor)
    if chosen.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:<20} {value:,.2f}")


if __name__ == "__main__":
    main()
