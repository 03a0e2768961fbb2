"""How well pictures follow the sketch that an encoder of the embedded model reads."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.detectors import Canny
from lepbench.guidance import SamplerSettings
from lepbench.images import to_tensor
from lepbench.judges.classifier import Probe, accuracy
from lepbench.metrics.edges import edge_counts, precision_recall_f1
from lepbench.mini.control_pipeline import draw_with_encoder, load_encoder
from lepbench.mini.corpus import attribute_labels
from lepbench.mini.gate import Gate
from lepbench.progress import Progress
from lepbench.seeds import derive_seed, draw_noise
from lepbench.sketchworld import Scene, render

DETECTOR = Canny(low=0.3, high=0.6)
BATCH = 64
SAMPLER = SamplerSettings(steps=20, scheduler="unipc")
LEAST_F1 = 0.5
"""Unguided samples of the same captions have about 0.3."""


def encoder_gates(
    folder: Path, backbone: Backbone, probe: Probe, scenes: list[Scene], progress: Progress
) -> list[Gate]:
    """Edge F1 and attributes of samples with the encoder (20 UniPC steps, guidance scale 4).

    Args:
        folder: of the encoder; its name is the first part of the gates' names.
        scenes: of one thing each; their edge maps are the sketches.
    """
    encoder, name, shape = load_encoder(folder), folder.name, backbone.latent_shape(64)
    sketches = torch.cat([DETECTOR(_pictures(part)) for part in _batches(scenes)])
    drawn = []
    for first, part in zip(range(0, len(scenes), BATCH), _batches(scenes), strict=True):
        noise = torch.stack([draw_noise(derive_seed("gates", scene.id), shape) for scene in part])
        captions, strokes = [scene.caption for scene in part], sketches[first : first + len(part)]
        drawn.append(
            draw_with_encoder(backbone, encoder, captions, strokes=strokes, noise=noise, sampler=SAMPLER)
        )
        progress(name, first + len(part), len(scenes))
    pictures = torch.cat(drawn)
    f1 = precision_recall_f1(edge_counts(DETECTOR(pictures), sketches, (1.0,))).f1
    read = accuracy(probe, pictures, attribute_labels(scenes))
    return [
        Gate(name=f"{name}/edge_f1_1px", value=float(f1.mean()), threshold=LEAST_F1),
        *(Gate(name=f"{name}/{attribute}", value=value) for attribute, value in read.items()),
    ]


def _batches(scenes: list[Scene]) -> list[list[Scene]]:
    return [scenes[first : first + BATCH] for first in range(0, len(scenes), BATCH)]


def _pictures(scenes: list[Scene]) -> Tensor:
    return torch.stack([to_tensor(render(scene).image) for scene in scenes])
