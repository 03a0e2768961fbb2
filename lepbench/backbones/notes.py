"""What a reader of a backbone's pictures should know of its components."""

from __future__ import annotations

from typing import Any

from lepbench.backbones.family import Family, TextParts
from lepbench.backbones.load import find_quantisation, list_class_names, read_config


def describe_components(family: Family, denoiser: Any, vae: Any, text: TextParts) -> tuple[str, ...]:
    """A line for each component that is unusual, and for what of the pipeline is not run; mostly none."""
    parts = {family.denoiser: denoiser, "vae": vae, **text.encoders}
    found = [
        f"{part} is quantised by {method}"
        for part, network in parts.items()
        if (method := find_quantisation(read_config(network))) is not None
    ]
    kinds = list_class_names(vae)
    if family.components["vae"].split(".")[1] not in kinds:
        found.append(f"the VAE is an {kinds[0]}")
    if denoiser.config.get("time_cond_proj_dim") is not None:
        found.append("guidance is distilled: its scale is an input of the U-Net")
    if (text.index.get("safety_checker") or [None])[0] is not None:
        found.append("the safety checker of the pipeline was not run")
    return tuple(found)
