"""Networks that turn pictures into the features that sets are compared by: one function a kind."""

from __future__ import annotations

import io
import pickle
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lepbench.errors import LepbenchError
from lepbench.files import sha256_bytes
from lepbench.registry import Registry

Network = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Extractor:
    """A named network.

    Attributes:
        name: what a figure made with it is labelled by.
        size: height and width it reads, in pixels; None where it takes any and resizes by itself.
        network: float [B, 3, size, size] in [0, 255] to features [B, D].
        unit: whether cosine is its natural similarity, as for CLIP: CMMD is then defined.
    """

    name: str
    size: int | None
    network: Network
    unit: bool = False


Factory = Callable[[str, str | None], Extractor]
EXTRACTORS: Registry[Factory] = Registry("extractor")


def load_extractor(spec: str, sha256: str | None = None) -> Extractor:
    """The extractor that `KIND` or `KIND:SOURCE` names.

    Args:
        spec: "judge", "clip:FOLDER_OR_ID", "dinov2:FOLDER_OR_ID", "torchscript:FILE", "torch-fidelity:FILE"
            or "torchmetrics:FILE".
        sha256: what the bytes of a file must hash to; a TorchScript file needs it.

    Raises:
        LepbenchError: there is no such kind, or its files are missing, damaged or not the ones pinned.
    """
    kind, _, source = spec.partition(":")
    return EXTRACTORS.get(kind)(source, sha256)


@EXTRACTORS.register("judge")
def load_judge(source: str, sha256: str | None) -> Extractor:
    """The embedded judge: for pictures of sketchworld, and no others."""
    from lepbench.mini.paths import JUDGE

    return _clip("judge@1", JUDGE)


@EXTRACTORS.register("clip")
def load_clip(source: str, sha256: str | None) -> Extractor:
    """Projected image features of a `transformers.CLIPModel`."""
    return _clip(f"clip:{source}", Path(_named("clip", source)))


def _clip(name: str, source: Path) -> Extractor:
    from lepbench.metrics.clip import ClipScorer, pooled

    scorer = ClipScorer.load(source)
    processor = scorer.processor
    normalise = _normaliser(processor.image_mean, processor.image_std)
    return Extractor(
        name,
        int(scorer.model.config.vision_config.image_size),
        lambda batch: pooled(scorer.model.get_image_features(pixel_values=normalise(batch))),
        unit=True,
    )


@EXTRACTORS.register("dinov2")
def load_dinov2(source: str, sha256: str | None) -> Extractor:
    """The class token of a `transformers.Dinov2Model`, at 224 px as in Stein et al., 2023."""
    from safetensors import SafetensorError
    from transformers import Dinov2Model

    try:
        model = Dinov2Model.from_pretrained(_named("dinov2", source), use_safetensors=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise LepbenchError(f"cannot load a DINOv2 model from {source}: {reason}", "check it") from error
    model = model.float().eval().requires_grad_(False)
    normalise = _normaliser((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    return Extractor(f"dinov2:{source}", 224, lambda batch: model(normalise(batch)).pooler_output)


@EXTRACTORS.register("torchscript")
def load_torchscript(source: str, sha256: str | None) -> Extractor:
    """A published TorchScript Inception, as clean-fid reads it: 299 px, (x - 128) / 128, without its resize.

    Such a file is a program, so it is opened only if its bytes are the ones the caller pinned.
    """
    if sha256 is None:
        raise LepbenchError(
            f"torchscript:{source} is a program and would be run", "pin its bytes with --sha256"
        )
    content, label = _pinned("torchscript", source, sha256)
    with warnings.catch_warnings():
        # torch advises against making new files of this kind; the published ones are of this kind.
        warnings.simplefilter("ignore", FutureWarning)
        layers: Any = torch.jit.load(content, map_location="cpu").eval().layers  # type: ignore[no-untyped-call]
    return Extractor(
        label,
        299,
        lambda batch: layers.forward((batch - 128) / 128).flatten(1),
    )


@EXTRACTORS.register("torch-fidelity")
def load_torch_fidelity(source: str, sha256: str | None) -> Extractor:
    """torch-fidelity's Inception, and its aliased resize to 299 px as TensorFlow 1 does it."""

    def made(*arguments: Any) -> Any:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        return FeatureExtractorInceptionV3(*arguments)

    return _inception("torch-fidelity", made, source, sha256)


@EXTRACTORS.register("torchmetrics")
def load_torchmetrics(source: str, sha256: str | None) -> Extractor:
    """The same network as torchmetrics runs it, which resizes bilinearly without aliasing."""
    from torchmetrics.image.fid import NoTrainInceptionV3

    return _inception("torchmetrics", NoTrainInceptionV3, source, sha256)


def _inception(kind: str, architecture: Any, source: str, sha256: str | None) -> Extractor:
    content, label = _pinned(kind, source, sha256)
    try:
        weights = torch.load(content, map_location="cpu", weights_only=True)
        # The class unpickles whatever it is given, so it is given our own copy of what is only tensors.
        copy = io.BytesIO()
        torch.save(weights, copy)
        copy.seek(0)
        model = architecture("inception", ["2048"], copy)
    except ModuleNotFoundError as error:
        raise LepbenchError("torch-fidelity is not installed", "pip install torch-fidelity") from error
    except (pickle.UnpicklingError, RuntimeError, TypeError, EOFError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise LepbenchError(f"{source} holds no Inception weights: {reason}", "check it") from error

    def network(batch: Tensor) -> Tensor:
        features: Tensor | tuple[Tensor] = model(batch.to(torch.uint8))
        return features[0] if isinstance(features, tuple) else features

    return Extractor(label, None, network)


def _pinned(kind: str, source: str, sha256: str | None) -> tuple[io.BytesIO, str]:
    """The bytes of a file, which are those asked for, and what to call an extractor made of them."""
    path = Path(_named(kind, source))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LepbenchError(f"missing weight file {path}", "check the path") from error
    found = sha256_bytes(content)
    if sha256 is not None and found != sha256.lower():
        raise LepbenchError(f"{path} has SHA-256 {found}, not {sha256}", "fetch the published file again")
    return io.BytesIO(content), f"{kind}:{path.name}#{found[:16]}"


def _named(kind: str, source: str) -> str:
    if not source:
        raise LepbenchError(f"extractor {kind!r} needs a source", f"write {kind}:FOLDER_OR_ID or {kind}:FILE")
    return source


def _normaliser(mean: Any, deviation: Any) -> Network:
    centre, spread = (torch.tensor(v, dtype=torch.float32).view(1, 3, 1, 1) for v in (mean, deviation))
    return lambda batch: (batch / 255 - centre) / spread
