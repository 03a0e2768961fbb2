"""Statistics: features of real pictures, kept for the comparison with generated ones."""

from __future__ import annotations

from pathlib import Path

from lepbench.api.corpora import open_pictures
from lepbench.api.counts import require_whole
from lepbench.api.judges import JudgesLike, find_judges
from lepbench.api.progress import ShowProgress, follow_progress
from lepbench.backbones import choose_device
from lepbench.engines import choose_engine
from lepbench.scoring import statistics as making
from lepbench.scoring.feature_job import Computing
from lepbench.scoring.features import LEAST


def make_statistics(
    corpus: str | Path,
    judges: JudgesLike,
    out: str | Path,
    *,
    size: int | None = None,
    limit: int | None = None,
    device: str = "auto",
    engine: str | None = None,
    workers: int | None = None,
    gpus: float = 1.0,
    progress: ShowProgress = True,
) -> making.Statistics:
    """Write the features of real pictures by every judge that gives any, as `lepbench statistics make` does.

    What is there is kept, and the same call goes on after an interruption. `evaluate(statistics=out)` and
    `lepbench score images --reference OUT` compare generated pictures with them.

    Args:
        corpus: a folder of pictures, a data set of `build_data`, or a suite by name or folder.
        judges: a YAML file of judges, the name of a protocol that ships, or judges at hand.
        out: folder to write: `LABEL.safetensors` a judge, and `statistics.json`.
        size: side of the centre square that pictures are resized to, px; they are left as they are unless
            given.
        limit: pictures from the front of the corpus; all unless given.
        device: "cpu", "cuda", or "auto" for a GPU if there is one.
        engine: "here", "processes" or "ray"; which of them changes no feature.
        workers: chunks of 256 pictures that are read in parallel; with "ray" as many as the cluster has
            places for.
        gpus: of each worker, on a GPU; with "ray" it may be a fraction.
        progress: True for bars on stderr, False for nothing, or a callback (stage, done, total).

    Returns:
        What `statistics.json` holds.

    Raises:
        LepbenchError: corpus or judges cannot be read, or `out` holds features of another corpus.
    """
    require_whole("limit", LEAST if limit is None else limit, least=LEAST, things="pictures")
    require_whole("size", 1 if size is None else size, least=1)
    found = find_judges(judges) if isinstance(judges, str | Path) else tuple(judges)
    runner = choose_engine(engine, workers)
    with follow_progress(progress) as show:
        pictures = open_pictures(corpus, size=size, limit=limit, progress=show)
        computing = Computing(str(choose_device(device)), runner, gpus)
        return making.make_statistics(pictures, found, Path(out), computing, progress=show)
