"""Seconds and memory of one guided step: ours against a literal rendering, an unguided step, and the floor.

    python benchmarks/guided_step.py --json
    python benchmarks/guided_step.py --backbone sdxl --device cuda --dtype bfloat16 --side 128 --batch 1 2 4

The U-Net has the configuration of Stable Diffusion 1.5 or SDXL and random weights, the predictor the paper's
layers. A step is under classifier-free guidance, DDIM's arithmetic included. The four are timed in turn and
medians told. Floor: two forward passes, and one backward pass from the taps to the latent. With --compiled
all but the literal rendering run compiled blocks. With --json, an object a batch size on a line of its own:

    plain_s, literal_s, guided_s, floor_s   seconds a step of the whole batch
    ratio, floor_ratio                      literal to ours, ours to the floor
    saved_bytes, literal_saved_bytes        kept for the way back
    peak_bytes, literal_peak_bytes          on CUDA: the most that was allocated, weights included
    pictures_s                              pictures a second by the preset `fast`, without their decoding
    backbone, device, dtype, batch, side, compiled
"""

from __future__ import annotations

import argparse
import dataclasses
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
from lepbench.backbones.family import Family, TextParts
from lepbench.backbones.known import load_known
from lepbench.backbones.load import choose_device, fill_defaults
from lepbench.backbones.sd import StableDiffusion
from lepbench.backbones.sdxl import StableDiffusionXL
from lepbench.guidance import SamplerSettings, SketchGuidance, sample
from lepbench.guidance.execution import Execution
from lepbench.guidance.gradient import record_until_read
from lepbench.guidance.presets import PRESETS
from lepbench.predictors import MlpConfig, MlpPredictor

CFG = 7.5
STEP = SamplerSettings(steps=1, guidance_scale=CFG)
TINY: dict[str, dict[str, Any]] = {
    "sd15": {"block_out_channels": [32, 64, 128, 128]},
    "sdxl": {
        "block_out_channels": [32, 64, 128],
        "attention_head_dim": [2, 4, 8],
        "transformer_layers_per_block": [1, 1, 2],
    },
}
"""What differs in a U-Net that is quick to try."""
TINY_VAE: dict[str, Any] = {"block_out_channels": [32, 32, 32, 32], "layers_per_block": 1}
"""What differs in such a VAE."""


class AnyText(Family):
    """Captions are noise: what a step costs does not depend on them."""

    def encode(self, text: TextParts, prompts: Sequence[str]) -> Conditioning:
        return Conditioning(
            {
                name: torch.randn(1, *rest, device=text.device).expand(len(prompts), *rest)
                for name, rest in self._shapes(text).items()
            }
        )

    def _shapes(self, text: TextParts) -> dict[str, tuple[int, ...]]:
        """Of a caption's tensors, at 77 tokens."""
        blank = self.blank(text.denoiser).tensors
        return {n: (77, t.shape[-1]) if n == "embeddings" else tuple(t.shape[1:]) for n, t in blank.items()}


class AnyTextSd(AnyText, StableDiffusion):
    """Stable Diffusion, told noise."""


class AnyTextSdxl(AnyText, StableDiffusionXL):
    """SDXL, told noise."""


FAMILIES = {"sd15": AnyTextSd, "sdxl": AnyTextSdxl}


def random_backbone(
    tiny: bool,
    name: str = "sd15",
    device: torch.device = torch.device("cpu"),  # noqa: B008
    dtype: torch.dtype = torch.float32,
) -> Backbone:
    """The U-Net with random weights; the VAE has shapes only, and no text encoder is needed."""
    model, family = load_known()[name], FAMILIES[name]()
    config = fill_defaults(family.components["unet"], {**model.denoiser, **(TINY[name] if tiny else {})})
    with device:
        unet = diffusers.UNet2DConditionModel.from_config(config).eval().requires_grad_(False)
    if dtype != unet.dtype:
        unet.to(dtype)
    with torch.device("meta"):
        vae = diffusers.AutoencoderKL.from_config(model.vae)
    return Backbone(
        name=f"{name}, random weights",
        folder=Path(),
        family=family,
        denoiser=unet,
        vae=vae,
        text=TextParts({}, {}, {}, denoiser=unet.config, device=device),
        # One step of DDIM is then at t = 1, which is guided.
        scheduler={**model.scheduler, "steps_offset": 1},
        taps=family.positions(unet.config),
        device=device,
        dtype=dtype,
    )


def add_vae(backbone: Backbone, name: str, tiny: bool) -> Backbone:
    """The backbone with a VAE of random weights, on its device."""
    with backbone.device:
        vae = diffusers.AutoencoderKL.from_config({**load_known()[name].vae, **(TINY_VAE if tiny else {})})
    vae.eval().requires_grad_(False)
    if backbone.dtype != vae.dtype:
        vae.to(backbone.dtype)
    return dataclasses.replace(backbone, vae=vae)


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
    """The four ways through one step, on the same networks and noise.

    Attributes:
        usual: the backbone that the literal rendering runs.
        backbone: the one that the others run; its weights are the same.
    """

    def __init__(
        self,
        backbone: Backbone,
        side: int,
        hidden: tuple[int, ...],
        batch: int = 1,
        execution: Execution | None = None,
    ) -> None:
        self.usual, self.size, self.prompts = backbone, (side, side), [""] * batch
        self.backbone = (execution or Execution()).prepare(backbone)
        self.noise = torch.randn(batch, 4, side, side, device=backbone.device)
        self.target = torch.randn(batch, 4, side, side, device=backbone.device)
        channels = backbone.tap_channels
        options = {"taps": channels, "out_channels": 4, "train_timesteps": 1000, "hidden": hidden}
        self.predictor = MlpPredictor(MlpConfig(**options)).eval().requires_grad_(False).to(backbone.device)
        self.guidance = self.guided_by(1.6, 0.0)
        self.literal_predictor = LiteralPredictor(sum(channels.values()), hidden).eval().to(backbone.device)
        self.conditioning = backbone.encode_prompts(2 * self.prompts)
        self.timestep = torch.tensor(1, device=backbone.device)

    def guided_by(self, scale: float, stop: float) -> SketchGuidance:
        """The predictor's pull towards the target."""
        return SketchGuidance(self.predictor, self.target, scale, stop)

    def plain(self) -> object:
        """An unguided step."""
        return sample(self.backbone, self.prompts, self.noise, STEP)

    def guided(self) -> object:
        """A guided step of ours."""
        drawn = sample(self.backbone, self.prompts, self.noise, STEP, guidance=self.guidance)
        assert drawn.edges is not None, "the step was not guided"
        return drawn

    def literal(self) -> object:
        """A guided step as it is usually written: both halves in the graph, every parameter alive."""
        self.usual.denoiser.requires_grad_(True)
        scheduler = diffusers.DDIMScheduler(**self.usual.scheduler)
        scheduler.set_timesteps(1)
        leaf = self.noise.clone().requires_grad_()
        both, features = self.usual.read(
            torch.cat([leaf, leaf]), self.timestep, self.conditioning, self.usual.taps
        )
        maps = [features[name].float() for name in self.usual.taps]
        _, edges = self.literal_predictor(maps, torch.full_like(both[:, 0, 0, 0], 0.001), self.size).chunk(2)
        loss = (edges - self.target).square().sum()
        (gradient,) = torch.autograd.grad(loss, leaf)
        self.usual.denoiser.requires_grad_(False)
        with torch.no_grad():
            without, conditional = both.chunk(2)
            after = scheduler.step(without + CFG * (conditional - without), 1, leaf).prev_sample
            return after - 1.6 * (after - leaf).norm() / gradient.norm() * gradient

    def floor(self) -> object:
        """Two forward passes, one backward pass from the taps."""
        return self._floor(self.backbone)

    def flops(self) -> int:
        """Floating point operations of the floor."""
        return flops(lambda: self._floor(self.usual))

    def _floor(self, backbone: Backbone) -> object:
        half = self.conditioning.take(torch.arange(len(self.noise), device=backbone.device))
        with torch.no_grad():
            backbone.predict(self.noise, self.timestep, half)
        leaf = self.noise.clone().requires_grad_()
        with torch.enable_grad(), record_until_read(backbone.denoiser, backbone.taps):
            # Not the leaf itself: the counter of operations hangs hooks on the inputs of modules.
            _, features = backbone.read(leaf.clone(), self.timestep, half, backbone.taps)
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


def settle() -> None:
    """Wait for all that a GPU has been given, where one is in use."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def peak_bytes(work: Callable[[], object]) -> int:
    """The most memory of the GPU that is allocated at once."""
    torch.cuda.reset_peak_memory_stats()
    work()
    settle()
    return torch.cuda.max_memory_allocated()


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """On the clock, and of processors; what a GPU was given before is waited for, and the work too."""
    settle()
    started, busy = time.perf_counter(), time.process_time()
    work()
    settle()
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
    networks = (contest.usual.denoiser, contest.literal_predictor, contest.predictor)
    parameters = {p.untyped_storage().data_ptr() for network in networks for p in network.parameters()}
    for way in ways:
        way()
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
    fast = PRESETS.get("fast")
    guided_steps = round(fast.steps * (1 - fast.stop))
    picture = guided_steps * guided + (fast.steps - guided_steps) * plain
    found = {
        "plain_s": plain,
        "literal_s": literal,
        "guided_s": guided,
        "floor_s": floor,
        "ratio": literal / guided,
        "floor_ratio": guided / floor,
        "saved_bytes": saved,
        "literal_saved_bytes": literal_saved,
        "pictures_s": len(contest.noise) / picture,
    }
    if contest.usual.device.type == "cuda":
        found["peak_bytes"] = peak_bytes(contest.guided)
        found["literal_peak_bytes"] = peak_bytes(contest.literal)
    return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--backbone", choices=list(FAMILIES), default="sd15")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="cpu")
    parser.add_argument("--dtype", choices=["float32", "bfloat16", "float16"], default="float32")
    parser.add_argument("--batch", type=int, nargs="+", default=[1], help="one measurement each")
    parser.add_argument("--compiled", action="store_true", help="ours through torch.compile")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--side", type=int, default=32, help="of the latent")
    parser.add_argument("--tiny", action="store_true", help="a narrow U-Net, to try the benchmark itself")
    parser.add_argument("--flops", action="store_true", help="count the floor's operations too")
    parser.add_argument("--json", action="store_true", help="an object a batch size on stdout")
    return parser.parse_args()


def main() -> None:
    chosen = arguments()
    torch.manual_seed(0)
    hidden = (64, 32) if chosen.tiny else (512, 256, 128, 64)
    device = choose_device(chosen.device)
    backbone = random_backbone(chosen.tiny, chosen.backbone, device, getattr(torch, chosen.dtype))
    execution = Execution(compiled=chosen.compiled)
    for batch in chosen.batch:
        contest = Contest(backbone, chosen.side, hidden=hidden, batch=batch, execution=execution)
        found = measure(contest, chosen.rounds)
        if chosen.flops:
            found["floor_flops"] = contest.flops()
        found |= {"backbone": chosen.backbone, "device": str(device), "dtype": chosen.dtype}
        found |= {"batch": batch, "side": chosen.side, "compiled": chosen.compiled}
        tell(found, chosen.json)


def tell(found: dict[str, Any], as_json: bool) -> None:
    """One measurement on stdout: an object on a line, or a table."""
    if as_json:
        print(json.dumps(found), flush=True)
        return
    for name, value in found.items():
        print(f"{name:<20} {value if isinstance(value, str | bool) else f'{value:,.2f}'}")


if __name__ == "__main__":
    main()
