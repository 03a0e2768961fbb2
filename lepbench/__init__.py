"""lepbench: datasets, latent edge predictors and trusted scores for sketch-guided diffusion."""

__version__ = "0.1.0"
