"""From pictures to the columns of the samples table: count, do not summarise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lepbench.evaluation.judges import Judges
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.samples import Sample, contour_columns, edge_columns
from lepbench.images import Pixels, to_tensor
from lepbench.metrics.clip import cosine
from lepbench.metrics.edges import edge_counts
from lepbench.metrics.masks import mask_counts
from lepbench.suites import Item

Columns = dict[str, Any]


def score(
    pictures: Pixels, samples: Sequence[Sample], truths: Sequence[Item], judges: Judges, protocol: Protocol
) -> list[Columns]:
    """All that is counted of a batch, one mapping a picture.

    Args:
        pictures: uint8 [B, H, W, 3], as stored.
        samples: what each was drawn for: the captions are its item's and its rival's.
        truths: the items whose sketch, contours and mask each is held against.
    """
    images = to_tensor(pictures)
    columns = {
        **_edges(images, truths, protocol),
        **_contours(images, truths, protocol),
        **_masks(images, truths, judges),
        **_captions(images, samples, judges),
    }
    return [{name: values[i] for name, values in columns.items()} for i in range(len(samples))]


def _edges(images: Tensor, truths: Sequence[Item], protocol: Protocol) -> Columns:
    target = _stack([item.sketch for item in truths])
    counts = edge_counts(protocol.detector(images), target, protocol.tolerances)
    matched = np.stack([counts.matched_predicted, counts.matched_target], axis=2).reshape(len(truths), -1)
    names = edge_columns(protocol.tolerances)
    return {
        "edge_predicted": counts.predicted[:, 0].tolist(),
        "edge_target": counts.target[:, 0].tolist(),
        **{name: matched[:, column].tolist() for column, name in enumerate(names)},
    }


def _contours(images: Tensor, truths: Sequence[Item], protocol: Protocol) -> Columns:
    target = _stack([item.contour for item in truths])
    counts = edge_counts(protocol.contour_detector(images), target, [protocol.contour_tolerance])
    predicted, true = contour_columns(protocol.contour_tolerance)
    return {
        "contour_predicted": counts.predicted[:, 0].tolist(),
        "contour_target": counts.target[:, 0].tolist(),
        predicted: counts.matched_predicted[:, 0].tolist(),
        true: counts.matched_target[:, 0].tolist(),
    }


@torch.no_grad()
def _masks(images: Tensor, truths: Sequence[Item], judges: Judges) -> Columns:
    counts = mask_counts(judges.segmenter(images), _stack([item.mask for item in truths]))
    return {"mask_intersection": counts.intersection.tolist(), "mask_union": counts.union.tolist()}


@torch.no_grad()
def _captions(images: Tensor, samples: Sequence[Sample], judges: Judges) -> Columns:
    features = judges.scorer.image_embedding(images)
    own = judges.scorer.text_features([sample.item.prompt for sample in samples])
    wrong = judges.scorer.text_features([sample.rival.prompt for sample in samples])
    return {
        "clip_similarity": cosine(features, own).tolist(),
        "clip_wrong_similarity": cosine(features, wrong).tolist(),
        "judge_features": features.float().cpu().tolist(),
    }


def _stack(maps: Sequence[NDArray[np.bool_]]) -> Tensor:
    return torch.from_numpy(np.stack(maps))
