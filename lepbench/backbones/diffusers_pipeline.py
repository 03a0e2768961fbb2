"""A backbone's components as a pipeline of diffusers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from lepbench.backbones.backbone import Backbone
from lepbench.quiet import silence_libraries

NO_CHECKER = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
"""What pipelines of Stable Diffusion are made with to run no safety checker."""


def make_diffusers_pipeline(
    backbone: Backbone, name: str, scheduler: Any, parts: Mapping[str, Any], options: Mapping[str, Any]
) -> Any:
    """A pipeline of diffusers of a backbone's components; nothing is loaded or copied.

    Args:
        name: of its class.
        parts: components beside the backbone's, or in their place, as a control module.
        options: further arguments of the class.
    """
    import diffusers

    components = {
        backbone.family.denoiser: backbone.denoiser,
        "vae": backbone.vae,
        "scheduler": scheduler,
        **dict.fromkeys(backbone.family.optional),
        **backbone.text.encoders,
        **backbone.text.tokenizers,
        **parts,
    }
    # Some pipelines fill a layer with random numbers before they copy its weights.
    with silence_libraries(), torch.random.fork_rng(devices=[]):
        pipeline = getattr(diffusers, name)(**components, **options)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
