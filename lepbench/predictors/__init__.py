"""Latent edge predictors: tapped activations in, encoded edge maps out."""

from lepbench.predictors.base import PREDICTORS, Predictor, PredictorConfig
from lepbench.predictors.mlp import MlpConfig, MlpPredictor

__all__ = ["PREDICTORS", "MlpConfig", "MlpPredictor", "Predictor", "PredictorConfig"]
