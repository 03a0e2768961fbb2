"""Features of the Inception network of FID, as three libraries run it."""

from __future__ import annotations

import io
import pickle
import warnings
from typing import Any

import torch
from torch import Tensor

from lepbench.errors import LepbenchError
from lepbench.judges.extractors.base import EXTRACTORS, Extractor, read_pinned


@EXTRACTORS.register("torchscript")
def load_torchscript(source: str, sha256: str | None, device: str) -> Extractor:
    """A published TorchScript Inception, as clean-fid reads it: 299 px, (x - 128) / 128, without its resize.

    Such a file is a program, so it is opened only if its bytes are the ones the caller pinned.
    """
    if sha256 is None:
        raise LepbenchError(
            f"torchscript:{source} is a program and would be run", "pin its bytes with --sha256"
        )
    content, label = read_pinned("torchscript", source, sha256)
    with warnings.catch_warnings():
        # torch advises against making new files of this kind; the published ones are of this kind.
        warnings.simplefilter("ignore", FutureWarning)
        layers: Any = torch.jit.load(content, map_location=device).eval().layers  # type: ignore[no-untyped-call]
    return Extractor(
        label,
        299,
        lambda batch: layers.forward(((batch - 128) / 128).to(device)).flatten(1),
    )


@EXTRACTORS.register("torch-fidelity")
def load_torch_fidelity(source: str, sha256: str | None, device: str) -> Extractor:
    """torch-fidelity's Inception, and its aliased resize to 299 px as TensorFlow 1 does it."""

    def made(*arguments: Any) -> Any:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        return FeatureExtractorInceptionV3(*arguments)

    return _inception("torch-fidelity", made, read_pinned("torch-fidelity", source, sha256), device)


@EXTRACTORS.register("torchmetrics")
def load_torchmetrics(source: str, sha256: str | None, device: str) -> Extractor:
    """The same network as torchmetrics runs it, which resizes bilinearly without aliasing."""
    from torchmetrics.image.fid import NoTrainInceptionV3

    return _inception("torchmetrics", NoTrainInceptionV3, read_pinned("torchmetrics", source, sha256), device)


def _inception(kind: str, architecture: Any, pinned: tuple[io.BytesIO, str], device: str) -> Extractor:
    content, label = pinned
    try:
        weights = torch.load(content, map_location="cpu", weights_only=True)
        # The class unpickles whatever it is given, so it is given our own copy of what is only tensors.
        copy = io.BytesIO()
        torch.save(weights, copy)
        copy.seek(0)
        model = architecture("inception", ["2048"], copy).to(device)
    except ModuleNotFoundError as error:
        raise LepbenchError("torch-fidelity is not installed", "pip install torch-fidelity") from error
    except (pickle.UnpicklingError, RuntimeError, TypeError, EOFError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise LepbenchError(f"{label} holds no Inception weights: {reason}", "check it") from error

    def network(batch: Tensor) -> Tensor:
        features: Tensor | tuple[Tensor] = model(batch.to(device, torch.uint8))
        return features[0] if isinstance(features, tuple) else features

    return Extractor(label, None, network)
