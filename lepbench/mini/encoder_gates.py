"""How well pictures follow the sketch that an encoder of the embedded model reads."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from lepbench.backbones import Backbone
from lepbench.guidance import SamplerSettings
from lepbench.judges.classifier import Probe, accuracy
from lepbench.metrics.edges import edge_counts, precision_recall_f1
from lepbench.mini.control_pipeline import draw_with_encoder, load_encoder
from lepbench.mini.corpus import attribute_labels
from lepbench.mini.gate import DETECTOR, Gate, draw_scenes, render_pictures
from lepbench.progress import Progress
from lepbench.sketchworld import Scene

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
    encoder, name = load_encoder(folder), folder.name
    captions = [scene.caption for scene in scenes]
    sketches = DETECTOR(render_pictures(scenes))

    def draw(rows: slice, noise: Tensor) -> Tensor:
        return draw_with_encoder(
            backbone, encoder, captions[rows], strokes=sketches[rows], noise=noise, sampler=SAMPLER
        )

    pictures = draw_scenes(backbone, scenes, draw, title=name, progress=progress)
    f1 = precision_recall_f1(edge_counts(DETECTOR(pictures), sketches, (1.0,))).f1
    read = accuracy(probe, pictures, attribute_labels(scenes))
    return [
        Gate(name=f"{name}/edge_f1_1px", value=float(f1.mean()), threshold=LEAST_F1),
        *(Gate(name=f"{name}/{attribute}", value=value) for attribute, value in read.items()),
    ]
