"""Scores of folders of generated and real images, or of their edge maps, by a protocol."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from lepbench.errors import LepbenchError
from lepbench.images import SUFFIXES, format_size, open_as, to_tensor
from lepbench.progress import Progress
from lepbench.scoring.pool import run_each
from lepbench.scoring.prompts import MAPS, Prompt, find_prompts
from lepbench.scoring.protocols import EdgeFigures, EdgeProtocol
from lepbench.scoring.protocols.base import PictureCounts
from lepbench.threads import set_one_thread

BATCH = 8


class Found(NamedTuple):
    """Edges of one file, [H, W], and whether it had the protocol's size."""

    edges: Tensor
    fits: bool


class Measured(NamedTuple):
    """Of one prompt: a row a picture, [S, K], and how many files should have had the protocol's size."""

    rows: PictureCounts
    misfits: int


@dataclass(frozen=True)
class ProtocolScores:
    """Figures and what they are figures of.

    Attributes:
        unverified: why they are not comparable with the protocol's published figures; empty if they are.
    """

    protocol: EdgeProtocol
    unverified: str
    prompts: int
    images_per_prompt: int
    figures: EdgeFigures


def score_edges(
    generated: Path,
    reference: Path,
    protocol: EdgeProtocol,
    progress: Progress,
    as_maps: bool = False,
    workers: int | None = None,
) -> ProtocolScores:
    """Score every generated picture against the reference of its prompt, several prompts at a time.

    Args:
        generated: see `find_prompts`.
        reference: real pictures, NAME.png or of another format.
        as_maps: the folders hold edge maps, grey PNG, strokes bright on black; no detector is run.
        progress: called with (stage, done, total).
        workers: processes; None for one a processor.

    Raises:
        LepbenchError: files are missing, too many, or cannot be read or compared, or the protocol's detector
            does not ship.
    """
    if not as_maps:
        protocol.check_detector()
    prompts = find_prompts(generated, reference, MAPS if as_maps else SUFFIXES)
    work = partial(measure, protocol=protocol, as_maps=as_maps)
    measured = run_each(work, prompts, "prompts", progress=progress, workers=workers, prepare=set_one_thread)
    return ProtocolScores(
        protocol=protocol,
        unverified=_doubts(protocol, as_maps, sum(one.misfits for one in measured)),
        prompts=len(prompts),
        images_per_prompt=len(prompts[0].generated),
        figures=protocol.figures(np.stack([one.rows for one in measured])),
    )


def measure(prompt: Prompt, protocol: EdgeProtocol, as_maps: bool) -> Measured:
    """The rows of one prompt, from a few pictures at a time.

    Raises:
        LepbenchError: see `score_edges`.
    """
    read = read_map if as_maps else read_picture
    target = read(prompt.reference, protocol)
    # A reference picture may have any size; a map that was given may not.
    rows, misfits = [], int(as_maps and not target.fits)
    for start in range(0, len(prompt.generated), BATCH):
        batch = [read(path, protocol) for path in prompt.generated[start : start + BATCH]]
        _check_sizes(prompt, start, [found.edges for found in batch], target.edges)
        edges = torch.stack([found.edges for found in batch])
        rows.append(protocol.rows(edges, target.edges.expand_as(edges)))
        misfits += sum(not found.fits for found in batch)
    return Measured(np.concatenate(rows), misfits)


def read_picture(path: Path, protocol: EdgeProtocol) -> Found:
    """The edges that the protocol's detector finds in a picture.

    Raises:
        LepbenchError: the file cannot be read.
    """
    picture = open_as(lambda image: image.convert("RGB"), path)
    fits = picture.size == (protocol.size, protocol.size)
    pixels = np.asarray(picture.resize((protocol.size, protocol.size), Image.Resampling.BICUBIC))
    return Found(protocol.detect(to_tensor(pixels)[None].contiguous())[0], fits)


def read_map(path: Path, protocol: EdgeProtocol) -> Found:
    """A stored edge map.

    Raises:
        LepbenchError: the file cannot be read, or is not such a map.
    """
    grey = np.array(open_as(_eight_bits, path))
    try:
        edges = protocol.from_grey(grey)
    except ValueError as error:
        raise LepbenchError(
            f"{path} cannot be scored: {error}", "correct it, or take it out of the folder"
        ) from error
    return Found(edges, grey.shape == (protocol.size, protocol.size))


def _eight_bits(image: Image.Image) -> Image.Image:
    if image.mode not in ("1", "L", "P", "RGB"):
        raise ValueError(f"it is of mode {image.mode} and not grey of 8 bits")
    return image.convert("L")


def _check_sizes(prompt: Prompt, start: int, generated: list[Tensor], target: Tensor) -> None:
    for number, edges in enumerate(generated, start):
        if edges.shape != target.shape:
            raise LepbenchError(
                f"{prompt.generated[number]} is {format_size(edges.shape)} px "
                f"and {prompt.reference} {format_size(target.shape)}",
                "make both maps at one size",
            )


def _doubts(protocol: EdgeProtocol, as_maps: bool, misfits: int) -> str:
    doubts = [protocol.unverified] if protocol.unverified else []
    if as_maps:
        doubts.append("the edge maps were given, and how they were made is not known from them")
    if misfits:
        what = "maps are not of" if as_maps else "generated pictures had to be resized to"
        doubts.append(f"{misfits} {what} the protocol's {protocol.size} x {protocol.size} px")
    return "; ".join(doubts)
