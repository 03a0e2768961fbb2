"""What every latent edge predictor is: a module over tapped features that a folder holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, ValidationError
from torch import Tensor, nn

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.resolve import model_folder
from lepbench.config import Config, explain
from lepbench.errors import LepbenchError
from lepbench.files import atomic_path, sha256_file, write_text
from lepbench.registry import Registry

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "predictor.safetensors"


class PredictorConfig(Config):
    """What a predictor is built from; saved as `config.json`.

    Attributes:
        name: its kind, a name in `PREDICTORS`.
        taps: tapped position -> channels there, in order.
        out_channels: channels of the latent it predicts.
        train_timesteps: T_train of the backbone, by which timesteps are divided.
    """

    name: str
    taps: dict[str, int] = Field(min_length=1)
    out_channels: int = Field(ge=1)
    train_timesteps: int = Field(ge=1)


class Predictor(nn.Module):
    """Base of the predictors. A subclass sets `config_kind`, is built from it, and implements `forward`."""

    config_kind: ClassVar[type[PredictorConfig]]

    def __init__(self, config: PredictorConfig) -> None:
        super().__init__()
        self.config = config
        self.folder: Path | None = None

    def forward(self, features: Mapping[str, Tensor], timesteps: Tensor, size: tuple[int, int]) -> Tensor:
        """Predict the encoded edge map.

        Args:
            features: tapped position -> activations `[B, channels, h_tap, w_tap]`.
            timesteps: `[B]`, of the training schedule.
            size: `(h, w)` of the latent.

        Returns:
            `[B, out_channels, h, w]` in latent units, as `Backbone.encode_edges` gives them.
        """
        raise NotImplementedError

    def require_fit(self, backbone: Backbone) -> None:
        """Check that the backbone has this predictor's taps, with their channels, and its latents.

        Raises:
            LepbenchError: it has not; the message names the first position that differs.
        """
        channels = backbone.tap_channels
        for position, count in self.config.taps.items():
            if channels.get(position) != count:
                raise LepbenchError(
                    f"the predictor reads {count} channels at {position} where {backbone.name} has "
                    f"{channels.get(position, 'no tap')}",
                    "use the backbone it was trained on, or train one with 'lepbench train-lep'",
                )
        if backbone.vae.config.latent_channels != self.config.out_channels:
            raise LepbenchError(
                f"the predictor makes {self.config.out_channels} latent channels and {backbone.name} has "
                f"{backbone.vae.config.latent_channels}"
            )

    def save_pretrained(self, folder: Path) -> None:
        """Write `config.json` and the weights into `folder`, each atomically, the weights first."""
        from safetensors.torch import save_file

        with atomic_path(folder / WEIGHTS_FILE) as partial:
            save_file(
                {key: value.detach().cpu().contiguous() for key, value in self.state_dict().items()}, partial
            )
        write_text(folder / CONFIG_FILE, json.dumps(self.config.model_dump(mode="json"), indent=2) + "\n")

    def weights_sha256(self) -> dict[str, str]:
        """SHA-256 of the weight file this predictor was loaded from; empty for one that was not."""
        return {} if self.folder is None else {WEIGHTS_FILE: sha256_file(self.folder / WEIGHTS_FILE)}

    @staticmethod
    def from_pretrained(id_or_path: str | Path, backbone: Backbone | None = None) -> Predictor:
        """Load a predictor of any registered kind: eval mode, frozen weights, on the backbone's device.

        Args:
            id_or_path: an embedded name (`lep-mini@1`), a folder, or a hub id.
            backbone: where given, what it must fit.

        Raises:
            LepbenchError: a file is missing or damaged, the kind is unknown, or it does not fit the backbone.
        """
        folder = model_folder(id_or_path, [CONFIG_FILE, WEIGHTS_FILE])
        document = _read_config(folder / CONFIG_FILE)
        kind = PREDICTORS.get(str(document.get("name")))
        try:
            config = kind.config_kind.model_validate(document)
        except ValidationError as error:
            raise LepbenchError(f"{folder / CONFIG_FILE}: {explain(error, kind.config_kind)}") from error
        predictor = kind(config)
        predictor.folder = folder
        _load_weights(predictor, folder / WEIGHTS_FILE)
        predictor.requires_grad_(False).eval()
        if backbone is not None:
            predictor.require_fit(backbone)
            predictor.to(backbone.device)
        return predictor


PREDICTORS: Registry[type[Predictor]] = Registry("predictor")


def _read_config(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LepbenchError(
            f"cannot read {path}: {error.strerror}", "the folder holds no predictor"
        ) from error
    except ValueError as error:
        raise LepbenchError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise LepbenchError(f"{path} holds no predictor's config")
    return document


def _load_weights(predictor: Predictor, path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise LepbenchError(f"missing weight file {path}", "the folder holds no whole predictor")
    try:
        predictor.load_state_dict(load_file(path))
    except (SafetensorError, OSError, RuntimeError) as error:
        raise LepbenchError(f"{path} cannot be loaded: {error}") from error
