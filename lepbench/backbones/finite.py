"""Pictures that are not finite: whether the VAE or the denoiser overflowed."""

from __future__ import annotations

import torch
from torch import Tensor

from lepbench.errors import LepbenchError

IN_FULL = "run the VAE in float32: force_upcast in its config, or vae.to(torch.float32)"


class NotFinite(LepbenchError):  # noqa: N818
    """Pictures with values that are not finite: those samples failed, and others may not have."""


def require_finite(latents: Tensor, pictures: Tensor, denoiser: torch.dtype, vae: torch.dtype) -> None:
    """Check that latents and the pictures decoded from them are finite, `[B, ...]` each.

    Args:
        denoiser, vae: the precisions they ran in.

    Raises:
        NotFinite: some are not; the message says how many, and what overflowed.
    """
    drawn, decoded = (torch.isfinite(batch).flatten(1).all(dim=1) for batch in (latents, pictures))
    if bool(decoded.all()) and bool(drawn.all()):
        return
    count, total = int((~(decoded & drawn.to(decoded.device))).sum()), len(pictures)
    source, dtype, fix = (
        ("the VAE", vae, IN_FULL) if bool(drawn.all()) else ("the denoiser", denoiser, _advise(denoiser))
    )
    raise NotFinite(f"{count} of {total} pictures hold NaN: {source} overflowed in {_name(dtype)}", fix)


def require_encoded(latents: Tensor, vae: torch.dtype) -> None:
    """Check that latents `[B, C, h, w]` which a VAE encoded in this precision are finite.

    Raises:
        NotFinite: some are not.
    """
    finite = torch.isfinite(latents).flatten(1).all(dim=1)
    if not bool(finite.all()):
        count = f"{int((~finite).sum())} of {len(latents)}"
        raise NotFinite(f"{count} pictures are encoded to NaN: the VAE overflowed in {_name(vae)}", IN_FULL)


def _advise(denoiser: torch.dtype) -> str:
    """What helps where latents are not finite."""
    whole = denoiser in (torch.float32, torch.bfloat16)
    return "give smaller scales of guidance" if whole else "run it in bfloat16 or float32"


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
