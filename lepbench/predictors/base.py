"""What every latent edge predictor is: a module over tapped features that a folder holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationError
from torch import Tensor, nn

from lepbench.backbones.backbone import Backbone
from lepbench.backbones.resolve import find_model_folder
from lepbench.config import Config, explain
from lepbench.errors import LepbenchError
from lepbench.files import atomic_path, read_json, sha256_file, write_bytes, write_text
from lepbench.hub import report_upload_errors
from lepbench.predictors.card import CARD_FILE, render_card
from lepbench.registry import Registry

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "predictor.safetensors"
CURVE_FILE = "curve.csv"
METRICS_FILE = "metrics.json"

DISTINCTIVE = (
    "addition_embed_type",
    "attention_head_dim",
    "cross_attention_dim",
    "guidance_embeds",
    "joint_attention_dim",
    "num_attention_heads",
    "num_layers",
    "num_single_layers",
)
"""Keys of a denoiser's config by which kinds of network differ that are tapped alike, as Stable Diffusion 1
and 2 or Flux dev and schnell are: features of the one say nothing to a predictor of the other."""


class PredictorOptions(Config):
    """What a person chooses of a predictor: its kind, a name in `PREDICTORS`, and that kind's settings."""

    name: str


class PredictorConfig(PredictorOptions):
    """What a predictor is built from, its options and the backbone's side; saved as `config.json`.

    Attributes:
        taps: tapped position -> channels there, in order.
        out_channels: channels of the latent it predicts.
        train_timesteps: T_train of the backbone, by which timesteps are divided.
        network: `architecture` of the backbone it was trained on; None where that is not known.
    """

    taps: dict[str, int] = Field(min_length=1)
    out_channels: int = Field(ge=1)
    train_timesteps: int = Field(ge=1)
    network: dict[str, Any] | None = None


class Predictor(nn.Module):
    """Base of the predictors. A subclass sets both kinds, is built from `config_kind` and has `forward`."""

    options_kind: ClassVar[type[PredictorOptions]]
    config_kind: ClassVar[type[PredictorConfig]]

    def __init__(self, config: PredictorConfig) -> None:
        super().__init__()
        self.config = config
        self.folder: Path | None = None

    @property
    def reads_noise(self) -> bool:
        """Whether `forward` needs `noise`."""
        return False

    def forward(
        self,
        features: Mapping[str, Tensor],
        timesteps: Tensor,
        size: tuple[int, int],
        noise: Tensor | None = None,
    ) -> Tensor:
        """Predict the encoded edge map.

        Args:
            features: tapped position -> activations `[B, channels, h_tap, w_tap]`.
            timesteps: `[B]`, of the training schedule.
            size: `(h, w)` of the latent.
            noise: `[B, C, h, w]`, the noise the model sees in the latent (`noise_component`), where
                `reads_noise`; ignored otherwise.

        Returns:
            `[B, out_channels, h, w]` in latent units, as `Backbone.encode_edges` gives them.
        """
        raise NotImplementedError

    def require_fit(self, backbone: Backbone) -> None:
        """Check that the backbone is of the kind this predictor reads: taps, channels, network, latents.

        Weights are not compared: a predictor reads what was tuned from its backbone, too.

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
        for key, value in describe_architecture(backbone).items():
            if self.config.network is not None and self.config.network.get(key) != value:
                raise LepbenchError(
                    f"the predictor reads a network of {key} {self.config.network.get(key)}, "
                    f"and that of {backbone.name} has {value}",
                    "use the backbone it was trained on or one tuned from it",
                )
        if backbone.vae.config.latent_channels != self.config.out_channels:
            raise LepbenchError(
                f"the predictor makes {self.config.out_channels} latent channels and {backbone.name} has "
                f"{backbone.vae.config.latent_channels}"
            )

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the weights, a model card and `config.json` into `folder`, each atomically.

        Where these are the very weights that were loaded, the card and the figures beside them come along.
        """
        from safetensors.torch import save_file

        folder = Path(folder)
        with atomic_path(folder / WEIGHTS_FILE) as partial:
            save_file(
                {key: value.detach().cpu().contiguous() for key, value in self.state_dict().items()}, partial
            )
        for name, content in self._papers(folder).items():
            write_bytes(folder / name, content)
        write_text(folder / CONFIG_FILE, json.dumps(self.config.model_dump(mode="json"), indent=2) + "\n")

    def _papers(self, folder: Path) -> dict[str, bytes]:
        """Card and figures that belong to the weights in `folder`, by file name."""
        papers = {CARD_FILE: render_card(self).encode()}
        if self.folder is not None and self.weights_sha256()[WEIGHTS_FILE] == sha256_file(
            folder / WEIGHTS_FILE
        ):
            kept = [self.folder / name for name in (CARD_FILE, METRICS_FILE, CURVE_FILE)]
            papers |= {path.name: path.read_bytes() for path in kept if path.is_file()}
        return papers

    def push_to_hub(self, repo_id: str, token: str | None = None, private: bool = False) -> str:
        """Upload what `save_pretrained` writes as one commit, making the repository where there is none.

        Args:
            repo_id: `owner/name`.
            token: of the hub; None for the one that is logged in.
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

    @staticmethod
    def from_pretrained(id_or_path: str | Path, backbone: Backbone | None = None) -> Predictor:
        """Load a predictor of any registered kind: eval mode, frozen weights, on the backbone's device.

        Args:
            id_or_path: an embedded name (`lep-mini@1`), a folder, or a hub id.
            backbone: where given, what it must fit.

        Raises:
            LepbenchError: a file is missing or damaged, the kind is unknown, or it does not fit the backbone.
        """
        folder = find_model_folder(
            id_or_path, [CONFIG_FILE, WEIGHTS_FILE, CARD_FILE, METRICS_FILE, CURVE_FILE]
        )
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


def describe_architecture(backbone: Backbone) -> dict[str, Any]:
    """What tells kinds of network apart whose taps are equal, as JSON has it; see `DISTINCTIVE`."""
    found = {key: backbone.denoiser.config.get(key) for key in DISTINCTIVE}
    found["prediction_type"] = backbone.scheduler.get("prediction_type", "epsilon")
    known: dict[str, Any] = json.loads(json.dumps({k: v for k, v in found.items() if v is not None}))
    return known


PREDICTORS: Registry[type[Predictor]] = Registry("predictor")


def select_options(config: str | dict[str, Any] | PredictorOptions) -> PredictorOptions:
    """The options that a kind's name, or a mapping with `name` and settings, asks for; without a name, `mlp`.

    Raises:
        LepbenchError: no such kind, a key it does not know, or a value it does not take.
    """
    if isinstance(config, PredictorOptions):
        return config
    if not isinstance(config, (str, dict)):
        raise LepbenchError(f"{config!r} names no predictor", f"name one of: {', '.join(PREDICTORS)}")
    settings = {"name": config} if isinstance(config, str) else {"name": "mlp", **config}
    kind = PREDICTORS.get(str(settings["name"])).options_kind
    try:
        return kind.model_validate(settings)
    except ValidationError as error:
        raise LepbenchError(f"predictor {settings['name']!r}: {explain(error, kind)}") from error


# A field of this type takes any registered kind in a larger configuration, and writes its settings back.
AnyPredictor = Annotated[SerializeAsAny[PredictorOptions], BeforeValidator(select_options)]


def _read_config(path: Path) -> dict[str, Any]:
    document = read_json(path, "the folder holds no predictor")
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
