"""The guidance gradient: its graph is recorded only from the latent to the features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.conditioning import Conditioning
from lepbench.backbones.taps import find_module
from lepbench.guidance.feature_updates import descend_features
from lepbench.predictors.base import Predictor
from lepbench.predictors.noise import read_noise

HALF_SCALES = (2.0**12, 2.0**4, 2.0**-4)
"""Loss scales that are tried in turn until a float16 gradient is finite."""


class GuidanceStep(NamedTuple):
    """One conditional pass.

    Attributes:
        output: the denoiser's, `[B, C, h, w]`; None where the pass stopped before it.
        edges: the predicted edges, `[B, C, h, w]`; None where there are none.
        gradient: of the loss w.r.t. z, `[B, C, h, w]`.
    """

    output: Tensor | None
    edges: Tensor | None
    gradient: Tensor


def compute_edge_gradient(
    backbone: Backbone,
    z: Tensor,
    timestep: Tensor,
    conditioning: Conditioning,
    predictor: Predictor,
    target: Tensor,
    weights: Tensor | None = None,
    feature_updates: int = 1,
    needs_output: bool = True,
) -> GuidanceStep:
    """Gradient of the squared distance between predicted edges and sketches w.r.t. z, `[B, C, h, w]`.

    `L = sum w (P(F(z_t | t, c)) - E(sketch))^2` over a sample's pixels and channels (Voynov et al., w = 1);
    samples are independent, so the sum over the batch gives each sample's gradient. The feature pass
    also gives the prediction. Nothing after the last tap is kept for backward, unless the predictor reads
    the noise.

    Args:
        z: as the denoiser reads it.
        target: encoded sketches, as `z`.
        weights: `[B, 1, h, w]`, the importance of each latent pixel.
        feature_updates: of the features by the predictor alone (`descend_features`); the gradient is then
            that of half their squared distance to the result. One has the direction of L's own gradient.
        needs_output: whether the pass runs to its end. If not, it stops after the last tap, unless the
            predictor reads the noise.
    """
    taps = list(predictor.config.taps)
    size = (z.shape[-2], z.shape[-1])
    with torch.enable_grad():
        leaf = z.detach().clone().requires_grad_()
        noise_component = output = None
        if predictor.reads_noise:
            # The noise is computed from the output, so this backward pass includes the whole network.
            output, features = backbone.read(leaf, timestep, conditioning, taps)
            noise_component = read_noise(predictor, backbone, output, noisy=leaf, timesteps=timestep)
        elif needs_output:
            with record_until_read(backbone.denoiser, taps):
                output, features = backbone.read(leaf, timestep, conditioning, taps)
        else:
            features = backbone.features(leaf, timestep, conditioning, taps)

        def measure(read: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
            edges = predictor(read, timestep.expand(len(leaf)), size, noise_component)
            error = (edges - target.to(edges)).square()
            return edges, (error if weights is None else error * weights.to(edges)).flatten(1).sum(1)

        if feature_updates == 1:
            edges, losses = measure(features)
        else:
            moved = descend_features(features, lambda read: measure(read)[1], feature_updates)
            edges = measure(moved)[0]
            losses = _measure_distance(features, moved)
        gradient = compute_gradient(losses.sum(), leaf, backbone.dtype == torch.float16)
    return GuidanceStep(None if output is None else output.detach(), edges.detach(), gradient)


def _measure_distance(features: Mapping[str, Tensor], moved: Mapping[str, Tensor]) -> Tensor:
    """Half the squared distance of each sample's features to others, `[B]`."""
    parts = [(features[name].float() - moved[name]).square().flatten(1).sum(1) for name in moved]
    return torch.stack(parts).sum(0) / 2


@contextmanager
def record_until_read(network: nn.Module, positions: Sequence[str]) -> Iterator[None]:
    """Context for one forward pass that records no graph after the last of `positions`."""
    unread = set(positions)

    def reader(name: str) -> Any:
        def read(module: nn.Module, inputs: Any, output: Any) -> None:
            unread.discard(name)
            if not unread:
                torch.set_grad_enabled(False)

        return read

    def resume(module: nn.Module, inputs: Any, output: Any) -> None:
        torch.set_grad_enabled(True)

    handles = [find_module(network, name).register_forward_hook(reader(name)) for name in unread]
    handles.append(network.register_forward_hook(resume))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def compute_gradient(loss: Tensor, leaf: Tensor, half: bool) -> Tensor:
    """d loss / d leaf; through float16 (`half`), by the first of `HALF_SCALES` at which nothing overflows."""
    scales = HALF_SCALES if half else (1.0,)
    for scale in scales:
        (gradient,) = torch.autograd.grad(loss * scale, leaf, retain_graph=scale != scales[-1])
        if not half or bool(gradient.isfinite().all()):
            break
    result: Tensor = gradient / scale
    return result
