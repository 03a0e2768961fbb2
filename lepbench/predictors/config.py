"""Configuration of predictors, and the file names of their folders."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from lepbench.config import Config

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "predictor.safetensors"
CARD_FILE = "README.md"
CURVE_FILE = "curve.csv"
METRICS_FILE = "metrics.json"


class PredictorOptions(Config):
    """A predictor's options: its kind, a name in `PREDICTORS`, and that kind's settings."""

    name: str


class PredictorConfig(PredictorOptions):
    """A predictor's full configuration: its options and the backbone's properties; saved as `config.json`.

    Attributes:
        taps: tapped position -> channels there, in order.
        out_channels: channels of the latent it predicts.
        train_timesteps: T_train of the backbone, by which timesteps are divided.
        network: `architecture` of the backbone it was trained on; None where that is not known.
    """

    taps: dict[str, Annotated[int, Field(ge=1)]] = Field(min_length=1, max_length=1024)
    out_channels: int = Field(ge=1)
    train_timesteps: int = Field(ge=1)
    network: dict[str, Any] | None = None
