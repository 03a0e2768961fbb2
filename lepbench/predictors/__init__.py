"""Latent edge predictors: tapped activations in, encoded edge maps out."""

from lepbench.predictors.aggregated import AggregatedConfig, AggregatedPredictor
from lepbench.predictors.base import PREDICTORS, Predictor
from lepbench.predictors.config import PredictorConfig
from lepbench.predictors.mlp import MlpConfig, MlpPredictor
from lepbench.predictors.unet import UnetConfig, UnetPredictor

__all__ = [
    "PREDICTORS",
    "AggregatedConfig",
    "AggregatedPredictor",
    "MlpConfig",
    "MlpPredictor",
    "Predictor",
    "PredictorConfig",
    "UnetConfig",
    "UnetPredictor",
]
