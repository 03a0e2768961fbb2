"""Data: build a set of triplets, train a predictor on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from lepbench.api.progress import ShowProgress, follow_progress
from lepbench.config import load_document, parse_config
from lepbench.data.build import build_triplets
from lepbench.data.read import Triplets
from lepbench.data.request import SourceLike, make_build_config
from lepbench.engines import choose_engine
from lepbench.predictors import Predictor
from lepbench.predictors.train import train_predictor
from lepbench.predictors.train_config import TrainConfig


def build_data(
    source: SourceLike,
    out: str | Path,
    *,
    workers: int | None = None,
    engine: Literal["here", "processes", "ray"] | None = None,
    retry_failed: bool = False,
    progress: ShowProgress = True,
    **settings: Any,
) -> Triplets:
    """Build a set of triplets, each a picture, its edge map and its caption, as `lepbench build-data` does.

    The same call finishes what was interrupted.

    Args:
        source: a corpus by name (`lepbench list sources`), a folder of captioned pictures, a YAML file, or a
            mapping with `name` and settings.
        out: folder to write; `datasets.load_dataset(out)` opens the result, too.
        workers: shards under way at a time.
        engine: "processes" for several workers unless given.
        retry_failed: try again what could not be read.
        settings: as in the YAML and on the command line: `size`, `detector`, `limit`, `edges`, `store`,
            `split`, `licence`, `duplicates`, `exclude` ...
        progress: True for bars on stderr, False for nothing, or a callback (stage, done, total).

    Raises:
        LepbenchError: nothing to read, nothing usable, a setting that does not fit, or `out` belongs to
            another build.
    """
    config = make_build_config(source, settings)
    with follow_progress(progress) as show:
        build_triplets(
            config, Path(out), progress=show, engine=choose_engine(engine, workers), retry=retry_failed
        )
    return Triplets(Path(out))


def train_lep(
    config: str | Path | Mapping[str, Any] | TrainConfig | None = None,
    out: str | Path | None = None,
    *,
    log_to: str | None = None,
    progress: ShowProgress = True,
    **settings: Any,
) -> Predictor:
    """Train a latent edge predictor for a frozen backbone, as `lepbench train-lep` does.

    The same call goes on from a checkpoint after an interruption, and ends with the same weights.

    Args:
        config: a YAML file, or a dict of its keys.
        out: folder to write; `runs/` and the file's name, or `runs/lep`, unless given.
        settings: keys of `lepbench.predictors.train_config.TrainConfig`, which win over the file: `data`,
            `backbone`, `steps` ...
        log_to: "tensorboard", "wandb" or "trackio", which shows the losses while it goes on.
        progress: True for bars on stderr, False for nothing, or a callback (stage, done, total).

    Returns:
        The trained predictor; its folder also holds a model card, `metrics.json` and `curve.csv`.

    Raises:
        LepbenchError: backbone or data cannot be used, a key does not fit, or `out` holds another run.
    """
    document = _read_keys(config) | settings
    named = Path(config).stem if isinstance(config, str | Path) else "lep"
    folder = Path("runs") / named if out is None else Path(out)
    with follow_progress(progress) as show:
        fix = "" if "data" in document else "give data=, the folder of a data set"
        train_predictor(parse_config(document, TrainConfig, "train_lep", fix), folder, show, log_to)
    return Predictor.from_pretrained(folder)


def _read_keys(config: str | Path | Mapping[str, Any] | TrainConfig | None) -> dict[str, Any]:
    if isinstance(config, str | Path):
        return load_document(Path(config), TrainConfig)
    if isinstance(config, TrainConfig):
        return config.model_dump(exclude_unset=True)
    return dict(config or {})
