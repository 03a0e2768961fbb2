"""The embedded VAE: an AutoencoderKL that shrinks 4 times and carries renders and edge maps alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn
from torch.nn import functional

from lepbench.config import Config
from lepbench.detectors import Canny
from lepbench.mini.corpus import Range, Renders, renders
from lepbench.mini.training import Fit, Trainer, device


class VaeRecipe(Config):
    """How the VAE is made.

    Attributes:
        edge_share: the share of each batch that is edge maps, since an LEP's target is an encoded edge map.
        gradient_weight: weight of the distance between finite differences, which keeps edges.
        kl_weight: weight of the mean KL divergence a latent value.
    """

    channels: tuple[int, ...] = (32, 64, 128)
    layers_per_block: int = 1
    edge_share: float = 0.25
    detector: Canny = Canny(low=0.3, high=0.6)
    gradient_weight: float = 1.0
    kl_weight: float = 1e-4
    train: Range
    fit: Fit


def build(recipe: VaeRecipe) -> AutoencoderKL:
    """A fresh VAE of the recipe's shape; latents [B, 4, 16, 16] for pictures [B, 3, 64, 64]."""
    levels = len(recipe.channels)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=recipe.channels,
        layers_per_block=recipe.layers_per_block,
        norm_num_groups=8,
        latent_channels=4,
        sample_size=64,
        scaling_factor=1.0,
    )


def train(recipe: VaeRecipe, folder: Path, cache: Path) -> AutoencoderKL:
    """Train, then fold the latents' per-channel mean and deviation into the VAE; returned in float32."""
    torch.manual_seed(recipe.fit.seed)
    corpus = renders(recipe.train, cache)
    vae = build(recipe).to(device(), memory_format=torch.channels_last)

    def step(rng: torch.Generator) -> dict[str, Tensor]:
        pictures = _batch(corpus, recipe, rng).to(vae.device).contiguous(memory_format=torch.channels_last)
        return loss_of(vae, pictures, recipe, rng)

    Trainer(vae, step, recipe.fit, folder).run("vae")
    fold_statistics(vae, _pieces(corpus))
    return vae


def _batch(corpus: Renders, recipe: VaeRecipe, rng: torch.Generator) -> Tensor:
    """[B, 3, 64, 64] in [-1, 1]: renders, the last of them replaced by their edge maps."""
    rows = torch.randint(len(corpus.scenes), (recipe.fit.batch,), generator=rng)
    pictures = corpus.images(rows)
    edges = round(recipe.fit.batch * recipe.edge_share)
    if edges:
        pictures[-edges:] = recipe.detector(pictures[-edges:]).float()[:, None]
    return pictures * 2 - 1


class LossWeights(Protocol):
    """See `VaeRecipe`."""

    @property
    def gradient_weight(self) -> float: ...

    @property
    def kl_weight(self) -> float: ...


def loss_of(
    vae: AutoencoderKL, pictures: Tensor, recipe: LossWeights, rng: torch.Generator
) -> dict[str, Tensor]:
    """Reconstruction (of values, and of finite differences) and KL, in float32.

    Squared error carries the thin lines of edge maps, which absolute error alone would let go black: the
    median of a sparse map is its ground. The absolute part keeps flat colours flat.
    """
    posterior = vae.encode(pictures).latent_dist
    noise = torch.randn(posterior.mean.shape, generator=rng).to(pictures.device)
    decoded = vae.decode(posterior.mean + posterior.std * noise).sample.float()
    values = _distance(decoded, pictures)
    across = _distance(decoded.diff(dim=-1), pictures.diff(dim=-1))
    differences = across + _distance(decoded.diff(dim=-2), pictures.diff(dim=-2))
    kl = 0.5 * (posterior.mean.float() ** 2 + posterior.var.float() - 1 - posterior.logvar.float()).mean()
    loss = values + recipe.gradient_weight * differences + recipe.kl_weight * kl
    return {"loss": loss, "values": values, "differences": differences, "kl": kl}


def _distance(a: Tensor, b: Tensor) -> Tensor:
    return functional.mse_loss(a, b) + 0.2 * functional.l1_loss(a, b)


@torch.no_grad()
def fold_statistics(vae: AutoencoderKL, batches: Iterable[Tensor]) -> None:
    """Make each latent channel of pictures zero-mean and unit-deviation by rewriting the 1x1 convolutions.

    A diffusers pipeline has one scalar scaling factor only; `quant_conv` and `post_quant_conv` are linear, so
    the per-channel shift and scale fit there, and the decoder sees what it saw in training.

    Args:
        batches: pictures [B, 3, 64, 64] in [-1, 1].
    """
    means = [vae.encode(batch.to(vae.device)).latent_dist.mean for batch in batches]
    latents = torch.cat(means).double()
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    _shift_and_scale(vae.quant_conv, vae.post_quant_conv, mean, deviation)


def _pieces(corpus: Renders, count: int = 2048) -> Iterator[Tensor]:
    rows = list(range(min(count, len(corpus.scenes))))
    for first in range(0, len(rows), 64):
        yield corpus.images(rows[first : first + 64]) * 2 - 1


def _shift_and_scale(encode: nn.Conv2d, decode: nn.Conv2d, mean: Tensor, deviation: Tensor) -> None:
    assert encode.bias is not None
    assert decode.bias is not None
    n = len(mean)
    # The first n outputs of quant_conv are means, the other n log variances.
    encode.bias[:n] = (encode.bias[:n].double() - mean) / deviation
    encode.weight[:n] = (encode.weight[:n].double() / deviation[:, None, None, None]).to(encode.weight)
    encode.bias[n:] -= 2 * deviation.log()
    decode.bias += decode.weight.double()[:, :, 0, 0] @ mean
    decode.weight[:] = decode.weight.double() * deviation[None, :, None, None]
