"""The Inception network of FID, with the resize of each of the three libraries that run it."""

from __future__ import annotations

import io
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from lepbench.config import Hash
from lepbench.errors import LepbenchError
from lepbench.fetch import find_file
from lepbench.files import sha256_file
from lepbench.judges.base import JUDGES, Ability, Embed, JudgeConfig, LoadedJudge
from lepbench.judges.pixels import resize_cleanly, to_bytes
from lepbench.needs import Need, Package, UrlFile, need_file

PUBLISHED = "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4"
"""SHA-256 of the TorchScript file that clean-fid fetches."""
SIDE = 299
"""Height and width that the network reads, in pixels."""
Library = Literal["clean-fid", "torch-fidelity", "torchmetrics"]


@JUDGES.register("inception")
class InceptionJudgeConfig(JudgeConfig):
    """Inception v3 of 2015, features before its last layer, [B, 2048].

    clean-fid reads a TorchScript file at 299 px, resized without aliasing and unrounded. torch-fidelity and
    torchmetrics read tensors, and resize by themselves: the first aliased, as TensorFlow 1 does it.
    """

    able: ClassVar[tuple[Ability, ...]] = ("features",)
    frechet: ClassVar[str] = "fid"
    name: Literal["inception"] = "inception"
    weights: str
    """A file, or a URL that it is fetched from once."""
    sha256: Hash | None = None
    """Of the file. TorchScript is a program, and needs it; of others it is filled in when they are read."""
    library: Library = "clean-fid"
    """Whose resize and range."""

    def pin(self) -> JudgeConfig:
        path = Path(self.weights)
        if self.sha256 is not None or self.library == "clean-fid" or not path.is_file():
            return self
        return self.model_copy(update={"sha256": sha256_file(path)})

    @property
    def runs_program(self) -> bool:
        """Whether its file is a TorchScript program, and not the published one."""
        return self.library == "clean-fid" and self.sha256 != PUBLISHED

    def identify(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"weights"} if self.sha256 else None)

    def list_needs(self) -> list[Need]:
        what = f"judge {self.label!r}"
        published = "://" in self.weights
        file = [UrlFile(what, self.weights, self.sha256)] if published else []
        needs = [*file, *([] if published else need_file(what, Path(self.weights)))]
        if self.library == "torch-fidelity":
            needs.append(Package(what, "torch_fidelity", "pip install torch-fidelity"))
        return needs

    def check(self) -> None:
        self.find()

    def find(self) -> Path:
        """The file of the weights, the one that is pinned.

        Raises:
            LepbenchError: it is missing, cannot be fetched, is another, or is a program and not pinned.
        """
        if self.library == "clean-fid" and self.sha256 is None:
            raise LepbenchError(
                f"{self.weights} is a TorchScript file: a program, which would be run",
                "pin its bytes with 'sha256'",
            )
        try:
            return find_file(self.weights, self.sha256)
        except LepbenchError as error:
            raise LepbenchError(
                f"judge {self.label!r}: {error}", "or evaluate with --judges FILE, or --judges none"
            ) from error

    def load(self, device: str) -> LoadedJudge:
        path = self.find()
        return LoadedJudge({path.name: path}, features=LOADERS[self.library](path, device))


def _load_torchscript(path: Path, device: str) -> Embed:
    with warnings.catch_warnings():
        # torch advises against making new files of this kind; the published ones are of this kind.
        warnings.simplefilter("ignore", FutureWarning)
        try:
            layers: Any = torch.jit.load(path, map_location=device).eval().layers  # type: ignore[no-untyped-call]
        except (RuntimeError, AttributeError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise LepbenchError(f"{path} holds no TorchScript Inception: {reason}", "check it") from error

    @torch.no_grad()
    def embed(images: Tensor) -> Tensor:
        batch = (resize_cleanly(images, SIDE) - 128) / 128
        features: Tensor = layers.forward(batch.to(device)).flatten(1)
        return features

    return embed


def _load_torch_fidelity(path: Path, device: str) -> Embed:
    def make(*arguments: Any) -> Any:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        return FeatureExtractorInceptionV3(*arguments)

    return _load_tensors(path, make, device)


def _load_torchmetrics(path: Path, device: str) -> Embed:
    from torchmetrics.image.fid import NoTrainInceptionV3

    return _load_tensors(path, NoTrainInceptionV3, device)


def _load_tensors(path: Path, architecture: Any, device: str) -> Embed:
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
        # The class unpickles whatever it is given, so it is given our own copy of what is only tensors.
        copy = io.BytesIO()
        torch.save(weights, copy)
        copy.seek(0)
        model = architecture("inception", ["2048"], copy).to(device)
    except ModuleNotFoundError as error:
        raise LepbenchError("torch-fidelity is not installed", "pip install torch-fidelity") from error
    except (pickle.UnpicklingError, RuntimeError, TypeError, EOFError, KeyError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise LepbenchError(f"{path} holds no Inception weights: {reason}", "check it") from error

    @torch.no_grad()
    def embed(images: Tensor) -> Tensor:
        features: Tensor | tuple[Tensor] = model(to_bytes(images).to(device))
        return features[0] if isinstance(features, tuple) else features

    return embed


LOADERS: dict[Library, Callable[[Path, str], Embed]] = {
    "clean-fid": _load_torchscript,
    "torch-fidelity": _load_torch_fidelity,
    "torchmetrics": _load_torchmetrics,
}
