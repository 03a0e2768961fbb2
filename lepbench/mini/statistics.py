"""The judge's features of true renders, against which FID and KID of small sets are taken."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from lepbench.files import atomic_path
from lepbench.images import to_tensor
from lepbench.judges.clip import ClipScorer
from lepbench.mini.corpus import Range
from lepbench.sketchworld import render, scene

# Suites take their items from the first half million test scenes, the gates from the next.
REFERENCE = Range(split="test", start=1_000_000, count=10_000)
BATCH = 100


@torch.no_grad()
def judge_statistics(judge_folder: Path, out: Path, span: Range = REFERENCE) -> None:
    """Write features (float16 [N, D]), mean [D] and covariance [D, D] (float64) of the span's renders."""
    judge = ClipScorer.load(judge_folder)
    pieces = []
    for first in range(span.start, span.start + span.count, BATCH):
        numbers = range(first, min(first + BATCH, span.start + span.count))
        pictures = [to_tensor(render(scene(span.split, number, span.things)).image) for number in numbers]
        pieces.append(judge.image_embedding(torch.stack(pictures)))
    features = torch.cat(pieces).cpu()
    exact = features.double()
    with atomic_path(out) as partial:
        tensors = {"features": features.half(), "mean": exact.mean(0), "covariance": torch.cov(exact.T)}
        save_file(tensors, partial, metadata={"scenes": f"{span.split} {span.start}+{span.count}"})
