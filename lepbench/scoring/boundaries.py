"""A folder of edge maps against a folder of human boundary annotations, by the BSDS benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lepbench.errors import LepbenchError
from lepbench.files import list_visible
from lepbench.images import format_size, open_header
from lepbench.metrics.boundary import (
    BoundaryCounts,
    BoundaryScores,
    boundary_counts,
    boundary_scores,
    levels,
)
from lepbench.progress import Progress
from lepbench.scoring.pool import run_each

KINDS = (".png", ".mat")


@dataclass(frozen=True)
class Rules:
    """How maps are matched; see `boundary_counts`."""

    thresholds: int = 99
    max_dist: float = 0.0075
    thinned: bool = True
    nms: bool = False


@dataclass(frozen=True)
class BoundaryPair:
    """One image's two files."""

    prediction: Path
    annotation: Path


def score_boundaries(
    predictions: Path, annotations: Path, rules: Rules, progress: Progress, workers: int | None = None
) -> BoundaryScores:
    """Score every annotated image, several at a time.

    Args:
        predictions: folder of soft edge maps, `NAME.png` (grey, 255 strongest) or `NAME.mat` with `ucm2`.
        annotations: folder of `NAME.mat` with BSDS's `groundTruth`, or `NAME.png` (one annotation, white on
            black).
        progress: called with (stage, done, total).
        workers: processes; None for one a processor.

    Raises:
        LepbenchError: a folder is missing or empty, a prediction is missing, or a file cannot be read.
    """
    pairs = find_pairs(predictions, annotations)
    counts = run_each(partial(count_pair, rules=rules), pairs, "images", progress=progress, workers=workers)
    stacked = BoundaryCounts(*(np.stack(column) for column in zip(*counts, strict=True)))
    return boundary_scores(stacked, levels(rules.thresholds))


def find_pairs(predictions: Path, annotations: Path) -> list[BoundaryPair]:
    """The two files of every annotated image, in the order of their names.

    Raises:
        LepbenchError: see `score_boundaries`.
    """
    found, wanted = _by_name(predictions), _by_name(annotations)
    missing = sorted(wanted.keys() - found.keys())
    if missing:
        raise LepbenchError(
            f"{predictions} has no prediction for {len(missing)} of {len(wanted)} annotated images, first "
            f"{missing[0]!r}",
            "add NAME.png or NAME.mat for each",
        )
    return [BoundaryPair(found[name], wanted[name]) for name in sorted(wanted)]


def count_pair(pair: BoundaryPair, rules: Rules) -> BoundaryCounts:
    """The counts of one image, int64 [K] each.

    Raises:
        LepbenchError: a file cannot be read, or sizes differ.
    """
    edges, people = read_edges(pair.prediction), read_annotations(pair.annotation)
    if people.shape[1:] != edges.shape:
        raise LepbenchError(
            f"{pair.prediction} is {format_size(edges.shape)} px "
            f"and {pair.annotation} {format_size(people.shape[1:])}",
            "predict at the size of the annotation",
        )
    return boundary_counts(
        edges,
        people,
        thresholds=levels(rules.thresholds),
        max_dist=rules.max_dist,
        thinned=rules.thinned,
        nms=rules.nms,
    )


def read_edges(path: Path) -> NDArray[np.float64]:
    """Strength of edges, [H, W] in [0, 1].

    A `ucm2` matrix has twice the size: every second row and column from the third on are the pixels, as BSDS
    reads it.

    Raises:
        LepbenchError: the file cannot be read, or holds values outside the range.
    """
    if path.suffix.lower() == ".png":
        return _grey(path)
    matrix = np.asarray(_mat(path, "ucm2"))
    if matrix.ndim != 2:
        raise LepbenchError(f"{path}: 'ucm2' is no matrix but {matrix.shape}", "save it as a matrix [H, W]")
    top = np.iinfo(matrix.dtype).max if np.issubdtype(matrix.dtype, np.integer) else 1.0
    edges = matrix[2::2, 2::2].astype(np.float64) / top
    if edges.size and not (edges.min() >= 0 and edges.max() <= 1):
        raise LepbenchError(f"{path}: values run from {edges.min():g} to {edges.max():g}", "scale to 0..1")
    return edges


def read_annotations(path: Path) -> NDArray[np.bool_]:
    """Boundaries that people drew, bool [A, H, W].

    Raises:
        LepbenchError: the file cannot be read, or holds no boundaries.
    """
    if path.suffix.lower() == ".png":
        return _grey(path)[None] >= 0.5
    people = _mat(path, "groundTruth")
    try:
        return np.stack([np.asarray(person["Boundaries"][0, 0]) > 0 for person in people.flat])
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise LepbenchError(
            f"{path}: 'groundTruth' holds no boundaries of one size: {error}",
            "save it as BSDS does: groundTruth{k}.Boundaries",
        ) from error


def _by_name(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise LepbenchError(f"no such folder: {folder}", "check the path")
    files = [path for path in list_visible(folder) if path.suffix.lower() in KINDS]
    if not files:
        raise LepbenchError(f"{folder} holds no .png or .mat file", "check the path")
    named = {path.stem: path for path in files}
    if len(named) < len(files):
        twice = next(path for path in files if named[path.stem] != path)
        raise LepbenchError(f"{folder} has {twice.stem!r} as .png and as .mat", "keep one")
    return named


def _grey(path: Path) -> NDArray[np.float64]:
    with open_header(path) as image:
        image.load()
        deep = image.mode.startswith("I")
        pixels = np.asarray(image if deep or image.mode == "L" else image.convert("L"))
    return pixels / (65535.0 if deep else 255.0)


def _mat(path: Path, variable: str) -> NDArray:
    from scipy.io import loadmat

    try:
        return np.asarray(loadmat(path, variable_names=[variable])[variable])
    except KeyError:
        raise LepbenchError(f"{path} has no variable {variable!r}", "save it under that name") from None
    except Exception as error:  # a damaged file fails in many ways inside SciPy's reader
        raise LepbenchError(f"{path} cannot be read: {error}", "save it as MATLAB 5 to 7") from error
