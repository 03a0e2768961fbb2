"""The network by which two folders are compared, written in one word on the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.judges import (
    ClipJudgeConfig,
    Dinov2JudgeConfig,
    InceptionJudgeConfig,
    JudgeConfig,
    SketchworldClipConfig,
    load_judge,
)
from lepbench.judges.base import Embed
from lepbench.registry import suggest_name

MAIN = "main"
"""The revision of a hub id without one."""


@dataclass(frozen=True)
class Extractor:
    """A network that gives the features that sets are compared by.

    Attributes:
        name: what a figure made with it is labelled by.
        features: pictures [B, 3, H, W] in [0, 1] to [B, D].
        unit: whether cosine is the natural similarity of its features: CMMD is then defined.
        judge: its settings, of which statistics say whether they are theirs.
        label: what its figures are labelled by where there are several.
    """

    name: str
    features: Embed
    unit: bool = False
    judge: JudgeConfig | None = None
    label: str = ""


def _describe_clip(source: str, sha256: str | None) -> JudgeConfig:
    model, _, revision = source.partition("@")
    return ClipJudgeConfig(model=model, revision=revision or MAIN, sha256=sha256, resize="clean-fid")


def _describe_dinov2(source: str, sha256: str | None) -> JudgeConfig:
    model, _, revision = source.partition("@")
    return Dinov2JudgeConfig(model=model, revision=revision or MAIN, sha256=sha256)


def _describe_torchscript(source: str, sha256: str | None) -> JudgeConfig:
    if sha256 is None:
        raise LepbenchError(
            f"torchscript:{source} is a program and would be run", "pin its bytes with --sha256"
        )
    return InceptionJudgeConfig(weights=source, sha256=sha256, library="clean-fid")


def _describe_torch_fidelity(source: str, sha256: str | None) -> JudgeConfig:
    return InceptionJudgeConfig(weights=source, sha256=sha256, library="torch-fidelity")


def _describe_torchmetrics(source: str, sha256: str | None) -> JudgeConfig:
    return InceptionJudgeConfig(weights=source, sha256=sha256, library="torchmetrics")


KINDS: dict[str, Callable[[str, str | None], JudgeConfig]] = {
    "clip": _describe_clip,
    "dinov2": _describe_dinov2,
    "torchscript": _describe_torchscript,
    "torch-fidelity": _describe_torch_fidelity,
    "torchmetrics": _describe_torchmetrics,
}


def load_extractor(spec: str, sha256: str | None = None, device: str = "cpu") -> Extractor:
    """The extractor that `KIND:SOURCE` names.

    Args:
        spec: "judge" (the embedded CLIP of sketchworld), "clip:FOLDER_OR_ID", "dinov2:FOLDER_OR_ID",
            "torchscript:FILE", "torch-fidelity:FILE" or "torchmetrics:FILE"; an id may end in @REVISION.
        sha256: what the bytes of the weights must hash to; a TorchScript file needs it.
        device: where the network runs, "cpu" or "cuda".

    Raises:
        LepbenchError: there is no such kind, or its files are missing, damaged or not the ones pinned.
    """
    kind, _, source = spec.partition(":")
    if kind == "judge":
        found = make_extractor(SketchworldClipConfig(), "judge@1", device)
        return replace(found, unit=True)
    if kind not in KINDS:
        raise LepbenchError(f"unknown extractor {kind!r}", suggest_name(kind, ["judge", *KINDS]))
    if not source:
        raise LepbenchError(f"extractor {kind!r} needs a source", f"write {kind}:FOLDER_OR_ID or {kind}:FILE")
    return make_extractor(KINDS[kind](source, sha256).pin(), f"{kind}:{source}", device)


def make_extractor(judge: JudgeConfig, name: str, device: str) -> Extractor:
    """A judge as an extractor; a file's name is followed by the beginning of its hash.

    Raises:
        LepbenchError: it cannot be loaded, or gives no features.
    """
    loaded = load_judge(judge, device)
    if loaded.features is None:
        raise LepbenchError(f"judge {judge.label!r} gives no features of pictures", "choose one that does")
    if isinstance(judge, InceptionJudgeConfig) and judge.sha256:
        name = f"{name.partition(':')[0]}:{Path(judge.weights).name}#{judge.sha256[:16]}"
    return Extractor(name, loaded.features, judge.unit, judge)
