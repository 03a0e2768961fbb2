"""Similarity of generated pictures to the sketches they were drawn from, by judges of both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from lepbench.images import open_rgb, to_tensor
from lepbench.judges import JudgeConfig, load_judge
from lepbench.judges.base import Matching, select_able
from lepbench.metrics.clip import cosine
from lepbench.metrics.statistics import Interval
from lepbench.progress import Progress
from lepbench.scoring.features import stack_alike
from lepbench.scoring.prompts import Prompt
from lepbench.scoring.sketch_files import read_sketch_at
from lepbench.scoring.sketches import summarise

FIGURE = "sketch_similarity"


def select_matching(judges: Sequence[JudgeConfig]) -> list[JudgeConfig]:
    """The judges that compare sketches with pictures.

    Raises:
        LepbenchError: none does.
    """
    return select_able(judges, "sketches", "compares sketches with pictures", such_as="clip")


def score_similarity(
    prompts: Sequence[Prompt],
    judges: Sequence[JudgeConfig],
    *,
    device: str,
    progress: Progress,
    thin: bool = True,
) -> dict[str, Interval]:
    """`sketch_similarity@LABEL` by every judge of sketches: mean over pictures, interval over sketches.

    Args:
        progress: called with (stage, done, total).
        thin: see `read_sketch_at`.

    Raises:
        LepbenchError: no judge compares sketches, one cannot be loaded, or a file cannot be read.
    """
    loaded = [(judge.label, load_judge(judge, device).sketches) for judge in select_matching(judges)]
    spaces = {f"{FIGURE}@{label}": space for label, space in loaded if space is not None}
    rows = []
    progress(FIGURE, 0, len(prompts))
    for done, prompt in enumerate(prompts, start=1):
        rows.append(_compare(prompt, list(spaces.values()), thin))
        progress(FIGURE, done, len(prompts))
    return summarise(list(spaces), rows)


@torch.no_grad()
def _compare(prompt: Prompt, spaces: Sequence[Matching], thin: bool) -> NDArray[np.float64]:
    """Similarity of every picture of a sketch in every space, [S, K]."""
    pictures = [np.asarray(open_rgb(path)) for path in prompt.generated]
    rows = []
    for alike in stack_alike(pictures):
        images = to_tensor(alike)
        sketch = read_sketch_at(prompt.reference, (alike.shape[1], alike.shape[2]), thin=thin).strokes
        strokes = torch.from_numpy(sketch)[None]
        columns = [
            cosine(space.pictures(images), space.sketches(strokes).expand(len(images), -1)).cpu().numpy()
            for space in spaces
        ]
        rows.append(np.stack(columns, axis=1).astype(np.float64))
    return np.concatenate(rows)
