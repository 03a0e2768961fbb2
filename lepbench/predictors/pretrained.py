"""Saving and loading of a network as a folder: JSON configuration, weights, model card, training metrics."""

from __future__ import annotations

import json
import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, TypeVar

import torch
from pydantic import ValidationError
from torch import nn

from lepbench.backbones.resolve import find_model_folder
from lepbench.errors import LepbenchError
from lepbench.faults import explain
from lepbench.files import atomic_path, read_json, sha256_file, write_bytes, write_text
from lepbench.hub import report_upload_errors
from lepbench.predictors.card import render_card
from lepbench.predictors.config import (
    CARD_FILE,
    CONFIG_FILE,
    CURVE_FILE,
    METRICS_FILE,
    WEIGHTS_FILE,
    PredictorConfig,
    PredictorOptions,
)
from lepbench.registry import Registry
from lepbench.weights_header import compare_shapes, list_numbers, read_header


class PretrainedModule(nn.Module):
    """Base class of networks saved as a folder. A subclass sets both kinds and is built from `config_kind`.

    Attributes:
        config: what it was built from.
        folder: where it was loaded from; None where it was not.
    """

    options_kind: ClassVar[type[PredictorOptions]]
    config_kind: ClassVar[type[PredictorConfig]]

    def __init__(self, config: PredictorConfig) -> None:
        super().__init__()
        self.config = config
        self.folder: Path | None = None

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the weights, a model card and `config.json` into `folder`, each atomically.

        If the weights are unchanged since loading, the card and metrics of their folder are copied too.
        """
        from safetensors.torch import save_file

        folder = Path(folder)
        with atomic_path(folder / WEIGHTS_FILE) as partial:
            save_file(
                {key: value.detach().cpu().contiguous() for key, value in self.state_dict().items()}, partial
            )
        for name, content in self._collect_companions(folder).items():
            write_bytes(folder / name, content)
        write_text(folder / CONFIG_FILE, json.dumps(self.config.model_dump(mode="json"), indent=2) + "\n")

    def _collect_companions(self, folder: Path) -> dict[str, bytes]:
        """Card and figures that belong to the weights in `folder`, by file name."""
        companions = {CARD_FILE: render_card(self.config, count_parameters(self)).encode()}
        if self.folder is not None and self.weights_sha256()[WEIGHTS_FILE] == sha256_file(
            folder / WEIGHTS_FILE
        ):
            kept = [self.folder / name for name in (CARD_FILE, METRICS_FILE, CURVE_FILE)]
            companions |= {path.name: path.read_bytes() for path in kept if path.is_file()}
        return companions

    def push_to_hub(self, repo_id: str, token: str | None = None, private: bool = False) -> str:
        """Upload what `save_pretrained` writes as one commit, making the repository where there is none.

        Args:
            repo_id: `owner/name`.
            token: of the hub; None for the logged-in user's.
            private: whether a new repository is.

        Returns:
            The commit's address.

        Raises:
            LepbenchError: the hub refuses or cannot be reached.
        """
        from huggingface_hub import HfApi

        api = HfApi(token=token)
        with TemporaryDirectory() as folder:
            self.save_pretrained(Path(folder))
            with report_upload_errors(repo_id):
                api.create_repo(repo_id, private=private, exist_ok=True)
                commit = api.upload_folder(
                    repo_id=repo_id,
                    folder_path=folder,
                    commit_message=f"A predictor of kind {self.config.name}",
                )
        return str(commit.commit_url)

    def weights_sha256(self) -> dict[str, str]:
        """SHA-256 of the weight file this predictor was loaded from; empty for one that was not."""
        return {} if self.folder is None else {WEIGHTS_FILE: sha256_file(self.folder / WEIGHTS_FILE)}


M = TypeVar("M", bound=PretrainedModule)
WHOLE = "give a folder that 'lepbench train-lep' wrote, with all its files"


def load_pretrained(id_or_path: str | Path, kinds: Registry[type[M]]) -> M:
    """Load a network of any registered kind: eval mode, frozen weights, on the CPU.

    Args:
        id_or_path: an embedded name (`lep-mini@1`), a folder, or a hub id.
        kinds: by the `name` of the configuration.

    Raises:
        LepbenchError: a file is missing or damaged, or the kind is unknown.
    """
    folder = find_model_folder(id_or_path, [CONFIG_FILE, WEIGHTS_FILE, CARD_FILE, METRICS_FILE, CURVE_FILE])
    document = _read_config(folder / CONFIG_FILE)
    if "name" not in document:
        what = f"a {document['_class_name']} of diffusers" if "_class_name" in document else "something else"
        raise LepbenchError(f"{folder} holds {what}, and no predictor", WHOLE)
    kind = kinds.get(str(document["name"]))
    try:
        config = kind.config_kind.model_validate(document)
    except ValidationError as error:
        raise LepbenchError(f"{folder / CONFIG_FILE}: {explain(error, kind.config_kind)}") from error
    _check_weights(kind, config, folder / WEIGHTS_FILE)
    module = kind(config)
    module.folder = folder
    _load_weights(module, folder / WEIGHTS_FILE)
    module.requires_grad_(False).eval()
    return module


def count_parameters(module: nn.Module) -> int:
    """Values that a network learns."""
    return sum(parameter.numel() for parameter in module.parameters())


def _read_config(path: Path) -> dict[str, Any]:
    document = read_json(path, "the folder holds no predictor")
    if not isinstance(document, dict):
        raise LepbenchError(
            f"{path} holds no predictor's config", "give a folder that 'lepbench train-lep' wrote"
        )
    return document


def _check_weights(kind: type[PretrainedModule], config: PredictorConfig, path: Path) -> None:
    """Refuse a config of another network than that of the weights, before memory is taken for it.

    Raises:
        LepbenchError: the weights are missing or damaged, or of another network.
    """
    if not path.is_file():
        raise LepbenchError(f"missing weight file {path}", "the folder holds no whole predictor")
    header = read_header(path, WHOLE)
    # Each channel of a layer has a weight, so that no size can be more than these are.
    most = sum(math.prod(tensor.shape) for tensor in header.values())
    sizes = list_numbers(config.model_dump(exclude={"train_timesteps", "network"}))
    if (largest := max((size for _, size in sizes), default=0)) > most:
        raise LepbenchError(
            f"{path} holds {most} values, and {CONFIG_FILE} asks for a size of {largest}", WHOLE
        )
    try:
        with torch.device("meta"):
            wanted = {name: tuple(value.shape) for name, value in kind(config).state_dict().items()}
    except (RuntimeError, OverflowError) as error:
        raise LepbenchError(f"{path.parent} holds no network that can be built: {error}", WHOLE) from error
    if fault := compare_shapes(wanted, header):
        raise LepbenchError(f"{path} does not fit its {CONFIG_FILE}: {fault}", WHOLE)


def _load_weights(module: nn.Module, path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        module.load_state_dict(load_file(path))
    except (SafetensorError, OSError, RuntimeError) as error:
        raise LepbenchError(f"{path} cannot be loaded: {error}", WHOLE) from error
