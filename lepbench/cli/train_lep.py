"""`lepbench train-lep`: a latent edge predictor for a frozen backbone."""

from __future__ import annotations

import json
from pathlib import Path

import click

from lepbench.cli.console import same_option


@click.command("train-lep")
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder to write.  [default: runs/ and CONFIG's name]"
)
@click.option("--device", help="cpu, cuda or auto, instead of the file's.")
@click.option("--log-to", help="Show values in tensorboard, wandb or trackio, too.")
@same_option
def command(config: Path, out: Path | None, device: str | None, log_to: str | None) -> None:
    """Train a latent edge predictor by the YAML file CONFIG.

    Images and captions are encoded once and cached. The folder gets the predictor, a model card, the held-out
    loss by timestep, a checkpoint and a log, log.jsonl; the same command resumes an interrupted run and ends
    with the same weights. The figures are printed as one JSON object. Several GPUs share the batches under
    'accelerate launch -m lepbench train-lep'.

    \b
    Examples:
      lepbench build-data examples/build-data.yaml --out data/sketchworld
      lepbench train-lep examples/train-lep.yaml --out runs/lep
      lepbench sample --prompt "a red fish" --sketch fish.png --predictor runs/lep --out fish-drawn.png
    """
    from lepbench.bars import show_bars
    from lepbench.config import load_document, parse_config
    from lepbench.predictors.train import train_predictor
    from lepbench.predictors.train_config import TrainConfig

    given = {} if device is None else {"device": device}
    recipe = parse_config(load_document(config, TrainConfig) | given, TrainConfig, str(config))
    folder = out or Path("runs") / config.stem
    with show_bars() as progress:
        outcome = train_predictor(recipe, folder, progress, log_to)
    if outcome is None:  # not the main process
        return
    figures = outcome.model_dump(mode="json", exclude={"recipe", "backbone_sha256"})
    click.echo(json.dumps({"out": str(folder), **figures}))
