"""Which things does a picture show, how do they look and where? The segmenter parts, the probe reads."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from lepbench.judges.base import JUDGES, Ability, JudgeConfig, LoadedJudge
from lepbench.judges.classifier import Probe, load_probe
from lepbench.judges.networks import WEIGHTS
from lepbench.judges.paths import PROBE, SEGMENTER
from lepbench.judges.segmenter import load_segmenter
from lepbench.metrics.attributes import Look
from lepbench.sketchworld import ATTRIBUTES, SIZE

LEAST = 20 / SIZE**2
"""Share of a picture that a thing covers at least; less is a speck."""
EXTENT = 0.72
"""Side of a thing in its crop, in sides: about that of the pictures that the probe learnt."""


class Box(NamedTuple):
    """The square around a thing, in px: its middle, and its side."""

    x: float
    y: float
    side: float


def find_boxes(mask: NDArray[np.bool_]) -> list[Box]:
    """The parts of a mask [H, W] that touch by a side or a corner, the largest first, without specks."""
    from scipy import ndimage

    parts, _ = ndimage.label(mask, structure=np.ones((3, 3)))
    areas = np.bincount(parts.ravel())[1:]
    kept = [number for number in np.argsort(-areas, kind="stable") if areas[number] >= LEAST * mask.size]
    boxes = []
    for place in (ndimage.find_objects(parts)[number] for number in kept):
        (top, bottom), (left, right) = ((axis.start, axis.stop) for axis in place)
        boxes.append(Box((left + right) / 2, (top + bottom) / 2, max(bottom - top, right - left)))
    return boxes


def crop_box(image: Tensor, box: Box) -> Tensor:
    """A thing as large as the probe knows them, its surroundings beside it: [3, H, W] to [3, SIZE, SIZE]."""
    height, width = image.shape[1:]
    side = box.side / EXTENT
    theta = torch.tensor(
        [[side / width, 0, 2 * box.x / width - 1], [0, side / height, 2 * box.y / height - 1]],
        dtype=torch.float32,
    )
    grid = functional.affine_grid(theta[None], [1, 3, SIZE, SIZE], align_corners=False)
    drawn = functional.grid_sample(image[None].float(), grid, padding_mode="border", align_corners=False)
    return drawn[0]


@torch.no_grad()
def read_looks(probe: Probe, image: Tensor, boxes: list[Box]) -> list[Look]:
    """The things in the boxes of a picture [3, H, W], in their order."""
    if not boxes:
        return []
    height, width = image.shape[1:]
    logits = probe(torch.stack([crop_box(image, box) for box in boxes]))
    read = {
        name: [values[best] for best in logits[name].argmax(dim=1).tolist()]
        for name, values in ATTRIBUTES.items()
    }
    return [
        Look(
            shape=read["shape"][number],
            colour=read["colour"][number],
            texture=read["texture"][number],
            background=read["background"][number],
            x=box.x / width,
            y=box.y / height,
        )
        for number, box in enumerate(boxes)
    ]


@JUDGES.register("sketchworld-things")
class SketchworldThingsConfig(JudgeConfig):
    """The segmenter and the classifier that ship: the things in a picture of sketchworld and their looks."""

    able: ClassVar[tuple[Ability, ...]] = ("things",)
    name: Literal["sketchworld-things"] = "sketchworld-things"
    version: Literal[1] = 1

    def load(self, device: str) -> LoadedJudge:
        probe, segment = load_probe(PROBE), load_segmenter()

        def read(images: Tensor) -> list[list[Look]]:
            masks = segment(images).numpy()
            return [
                read_looks(probe, image, find_boxes(mask)) for image, mask in zip(images, masks, strict=True)
            ]

        files = {"probe": PROBE / WEIGHTS, "segmenter": SEGMENTER / WEIGHTS}
        return LoadedJudge(files, things=read)
