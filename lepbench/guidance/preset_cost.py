"""What a picture by a preset costs on Stable Diffusion 1.5's shape."""

from __future__ import annotations

from lepbench.guidance.presets import Preset

FORWARD, BACKWARD = 0.803, 0.661
"""TFLOP of a pass of its U-Net at 512 px, and of a backward pass from the nine taps to the latent; counted
on the meta device by `benchmarks/floors.py`."""
LITERAL_PASSES, LITERAL_GRADIENTS = 500, 125
"""Of the paper's settings: 250 steps of classifier-free guidance, half of them guided."""
LITERAL_TFLOP = LITERAL_PASSES * FORWARD + LITERAL_GRADIENTS * 2 * BACKWARD
"""Of the paper's settings as public code implements them, with both halves of a step in the graph."""


def estimate_tflop(preset: Preset) -> float | None:
    """Operations of one picture at 512 px, the autoencoder left out; None where nobody counted passes.

    A pass that stops early counts whole.
    """
    if preset.passes is None or preset.gradients is None:
        return None
    return preset.passes * FORWARD + preset.gradients * BACKWARD


def divide_literal(preset: Preset) -> float | None:
    """How many times less that is than what the paper's settings take, implemented literally."""
    tflop = estimate_tflop(preset)
    return None if tflop is None else LITERAL_TFLOP / tflop
