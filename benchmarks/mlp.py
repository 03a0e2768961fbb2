"""The perceptron at each tap's own resolution against the concatenating form, on Stable Diffusion 1's taps.

    python benchmarks/mlp.py --side 32 --threads 2

Forward and backward to the features, as a guided step needs it, with frozen weights; both forms are timed in
turn in one process and the best of the rounds is printed, as CSV, with the memory kept for the backward pass.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from lepbench.predictors import MlpConfig, MlpPredictor

TAPS = {
    "down_blocks[0].attentions[1]": (320, 1),
    "down_blocks[1].attentions[0]": (640, 2),
    "down_blocks[2].attentions[1]": (1280, 4),
    "mid_block.resnets[0]": (1280, 8),
    "mid_block.attentions[0]": (1280, 8),
    "mid_block.resnets[1]": (1280, 8),
    "up_blocks[0]": (1280, 4),
    "up_blocks[1].attentions[1]": (1280, 4),
    "up_blocks[2]": (640, 1),
}
"""Channels, and how much smaller than the latent a side is there."""

Features = dict[str, Tensor]


def concatenating(
    predictor: MlpPredictor, features: Features, timesteps: Tensor, size: tuple[int, int]
) -> Tensor:
    """The same function as papers draw it: resize every tap, concatenate with t / T, one linear layer."""
    columns = [
        F.interpolate(norm(features[name]), size=size, mode="bilinear")
        for name, norm in zip(predictor.config.taps, predictor.standardise, strict=True)
    ]
    when = timesteps / predictor.config.train_timesteps
    columns.append(when[:, None, None, None].expand(-1, 1, *size))
    weights = [part.get_parameter("weight") for part in predictor.slices] + [
        predictor.time.weight[:, :, None, None]
    ]
    return predictor.rest(F.conv2d(torch.cat(columns, 1), torch.cat(weights, 1), predictor.time.bias))


def gradients(form: Callable[..., Tensor], features: Features, size: tuple[int, int]) -> tuple[Tensor, ...]:
    """Of the squared prediction, by every feature."""
    out = form(features, torch.tensor([500]), size)
    return torch.autograd.grad(out.square().sum(), list(features.values()))


def kept_bytes(work: Callable[[], object], known: Iterable[Tensor]) -> int:
    """Memory saved for the backward pass beyond the `known` tensors, each storage counted once."""
    storages: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        result = work()
    del result
    owned = {tensor.untyped_storage().data_ptr() for tensor in known}
    return sum(count for place, count in storages.items() if place not in owned)


def measure(predictor: MlpPredictor, side: int, rounds: int) -> None:
    """Print both forms' rows for one latent."""
    size = (side, side)
    features = {
        name: torch.randn(1, count, side // part, side // part, requires_grad=True)
        for name, (count, part) in TAPS.items()
    }
    known = [*features.values(), *predictor.parameters()]
    forms: dict[str, Callable[..., Tensor]] = {
        "concatenating": partial(concatenating, predictor),
        "own resolution": predictor,
    }
    seconds: dict[str, list[float]] = {name: [] for name in forms}
    found, kept = {}, {}
    for name, form in forms.items():
        kept[name] = kept_bytes(partial(form, features, torch.tensor([500]), size), known)
    for _ in range(rounds):
        for name, form in forms.items():
            started = time.perf_counter()
            found[name] = gradients(form, features, size)
            seconds[name].append(time.perf_counter() - started)
    pairs = zip(*found.values(), strict=True)
    apart = max(float((a - b).norm() / a.norm()) for a, b in pairs)
    for name in forms:
        print(f"{side},{name},{min(seconds[name]):.4f},{kept[name] / 2**20:.1f},{apart:.1e}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, nargs="+", default=[32, 64], help="of the latent")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    channels = {name: count for name, (count, _) in TAPS.items()}
    config = MlpConfig(taps=channels, out_channels=4, train_timesteps=1000, hidden=(512, 256, 128, 64))
    predictor = MlpPredictor(config).requires_grad_(False).eval()
    print("latent,form,seconds,saved_mib,relative_difference_of_gradients")
    for side in arguments.side:
        measure(predictor, side, arguments.rounds)


if __name__ == "__main__":
    main()
