"""What is read from a folder, an embedded name or a hub id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from lepbench.backbones import Backbone
from lepbench.backbones.assemble import load_backbone as load
from lepbench.backbones.load import Precision, choose_device
from lepbench.backbones.resolve import find_embedded_folder
from lepbench.data.read import Triplets
from lepbench.evaluation.layout import RECORD
from lepbench.evaluation.record import Record, read_record
from lepbench.predictors import Predictor
from lepbench.quiet import silence_libraries
from lepbench.suites import Suite
from lepbench.suites import load_suite as load_named_suite

MINI = "mini@1"


def load_suite(name: str | Path = "sketchworld-edges-v1") -> Suite:
    """A suite: a sequence of items, each a prompt with a sketch.

    Args:
        name: of a suite that ships or that a plug-in adds (`lepbench list suites`), or a folder of one.

    Raises:
        LepbenchError: there is none of that name; the message suggests the nearest.

    Example:
        >>> import lepbench
        >>> suite = lepbench.load_suite("sketchworld-edges-v1")
        >>> len(suite), suite[0].sketch.shape
        (512, (64, 64))
    """
    return load_named_suite(Path(name) if isinstance(name, Path) else str(name))


def load_record(folder: str | Path) -> Record:
    """The record of a finished run: settings, hashes and figures; `samples()` has the samples behind them.

    Args:
        folder: of `lepbench.evaluate` or `lepbench evaluate`, or the `record.json` in it.

    Raises:
        LepbenchError: the folder holds no record, or one of another schema.
    """
    return read_record(find_run(folder))


def find_run(path: str | Path) -> Path:
    """The folder of a run, which its `record.json` stands for, too."""
    path = Path(path)
    return path.parent if path.name == RECORD else path


def load_triplets(folder: str | Path) -> Triplets:
    """A built data set: a sequence of triplets, each a picture, its edge map and its caption.

    Args:
        folder: of `lepbench.build_data` or `lepbench build-data`.

    Raises:
        LepbenchError: the folder holds no data set, or an unfinished one.
    """
    return Triplets(Path(folder))


def load_backbone(
    id_or_path: str | Path = MINI, device: str | torch.device = "auto", precision: Precision = "float32"
) -> Backbone:
    """A frozen text-to-image pipeline: its denoiser, VAE, text encoders and schedule.

    Args:
        id_or_path: an embedded name, a folder in the layout of diffusers, or a hub id.
        device: a torch device, or "auto" for a GPU if there is one.
        precision: "float32", "bfloat16" or "float16", of the weights.

    Raises:
        LepbenchError: it cannot be found or fetched, or is of no known kind.
    """
    return load(id_or_path, device, precision)


def load_predictor(id_or_path: str | Path = "lep-mini@1", backbone: Backbone | None = None) -> Predictor:
    """A trained edge predictor, frozen and in evaluation mode.

    Args:
        id_or_path: an embedded name, a folder, or a hub id.
        backbone: where given, what it must fit; the predictor is put on its device.

    Raises:
        LepbenchError: a file is missing or damaged, or it does not fit.
    """
    return Predictor.from_pretrained(id_or_path, backbone)


def load_mini(device: str | torch.device = "auto") -> Any:
    """The embedded model as a `diffusers.StableDiffusionPipeline`, at 64 px.

    Args:
        device: a torch device, or "auto" for a GPU if there is one.

    Example:
        >>> import lepbench
        >>> pipe = lepbench.load_mini(device="cpu")
        >>> type(pipe).__name__
        'StableDiffusionPipeline'
    """
    from diffusers import StableDiffusionPipeline

    with silence_libraries():
        pipe = StableDiffusionPipeline.from_pretrained(
            find_embedded_folder(MINI), use_safetensors=True, local_files_only=True
        )
    pipe.set_progress_bar_config(disable=True)
    return pipe.to(choose_device(device))
