"""A network that reads depth-like maps in pictures of sketchworld, trained on true pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from scene_maps import Scenes
from torch import Tensor
from torch.nn import functional

from lepbench.images import to_tensor
from lepbench.judges.networks import WEIGHTS, load_weights, save_weights
from lepbench.judges.segmenter import Segmenter
from lepbench.mini.corpus import degrade
from lepbench.progress import Progress
from lepbench.seeds import make_generator

BATCH = 32
LEARNING_RATE = 2e-3


def train_reader(folder: Path, scenes: int, steps: int, progress: Progress) -> Callable[[Tensor], Tensor]:
    """The reader of a folder, trained unless it is there: pictures [B, 3, 64, 64] to depths [B, 64, 64].

    Pictures and depths are in [0, 1]. It has the segmenter's form, and learns on `scenes` scenes of the
    training split from the number `scenes` on; a predictor learns on those before. As for the segmenter, half
    of the pictures are blurred or noisy.
    """
    if not (folder / WEIGHTS).is_file():
        folder.mkdir(parents=True, exist_ok=True)
        save_weights(fit_reader(scenes, steps, progress), folder)
    model = load_weights(Segmenter(), folder)

    @torch.no_grad()
    def read(images: Tensor) -> Tensor:
        return torch.sigmoid(model(images.float()))

    return read


def fit_reader(scenes: int, steps: int, progress: Progress) -> Segmenter:
    """A network after so many steps of Adam, its rate falling to 0 by a cosine."""
    torch.manual_seed(0)
    known = Scenes("train", 2 * scenes, "depth")
    triplets = [known[number] for number in range(scenes, 2 * scenes)]
    images = np.stack([triplet.image for triplet in triplets])
    depths = np.stack([triplet.edges for triplet in triplets])
    model, rng = Segmenter(), make_generator(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        rows = torch.randint(scenes, (BATCH,), generator=rng).numpy()
        read = model(degrade(to_tensor(images[rows]), rng))
        true = torch.from_numpy(depths[rows]).float() / 255
        loss = functional.binary_cross_entropy_with_logits(read, true)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        progress("reader", step + 1, steps)
    return model.eval()
