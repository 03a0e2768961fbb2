"""Hours that a large run takes on one GPU and on many, from counted operations and stated throughput.

    python benchmarks/scale_cost.py --items 5000 --samples-per-item 4

The backbones are Stable Diffusion 1.5 at 512 px and SDXL at 1024 px in their true configurations, drawn by
the preset `fast` on an H100 at half of its bf16 peak (`floors.py`); judges are those of
`lepbench-photographs-v1`. Operations are counted on the meta device. A worker draws and scores in turn;
several share a GPU, so that one draws while others measure on processors. The time is then the longest of
three, with what comes before and after: all work of the GPUs, all work of a worker, and all batches in the
process that writes the folder. Given are seconds of a processor a picture, as measured by `large_run.py`,
`scale.py` and `driver.py`. On stdout, as JSON, by backbone: TFLOP and seconds of a picture, GPU hours, and
hours on each number of GPUs.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from typing import Any, NamedTuple

import torch
from floors import Parts, count_parts, floor_seconds
from torch import nn

from lepbench.backbones.cost import Passes, count_flops

DEVICE = "NVIDIA H100"
FAST = Passes(plain=24, steered=16)
PLAIN = Passes(plain=40)
INCEPTION = 11.5e9
"""Operations of Inception v3 on 299 px."""


class Given(NamedTuple):
    """What was measured or is assumed.

    Attributes:
        scoring_s: processor time a picture of 512 px of all that needs no network: edges, matching, encoding;
            it grows with the pixels.
        batch_s: of the process that writes the folder, a batch.
        load_s: of a worker, before its first picture.
        end_s: after the last picture.
        batch: pictures in a batch.
        workers: a GPU.
    """

    scoring_s: float
    batch_s: float
    load_s: float
    end_s: float
    batch: int
    workers: int


def count_judges() -> int:
    """Operations of the judges of photographs for one picture."""
    from transformers import CLIPVisionConfig, CLIPVisionModel, Dinov2Config, Dinov2Model

    large = {
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
    }
    with torch.device("meta"):
        judges: list[tuple[nn.Module, int]] = [
            (CLIPVisionModel(CLIPVisionConfig(patch_size=16)), 224),
            (CLIPVisionModel(CLIPVisionConfig(patch_size=14, image_size=336, **large)), 336),
            (Dinov2Model(Dinov2Config(hidden_size=1024, num_hidden_layers=24, num_attention_heads=16)), 224),
        ]
        with torch.no_grad():
            counted = [count_flops(partial(judge, torch.zeros(1, 3, side, side))) for judge, side in judges]
    return sum(counted) + int(INCEPTION)


def count_run(parts: Parts, judges: int, items: int, samples: int) -> dict[str, float]:
    """Operations of a run by what they are of; references are drawn once for all models."""
    many = items * samples
    return {
        "model": many * parts.picture(FAST, 1),
        "unguided": many * parts.picture(PLAIN, 1),
        "vae": items * (parts.encode + parts.decode),
        "judges": (2 * items + 4 * many) * judges,
    }


def predict_hours(flops: float, scored: int, gpus: int, given: Given) -> float:
    """Hours of a run on so many GPUs."""
    drawing = floor_seconds(flops, DEVICE) or 0.0
    alone = drawing + scored * given.scoring_s
    written = scored / given.batch * given.batch_s
    longest = max(drawing / gpus, alone / (gpus * given.workers), written)
    return (given.load_s + longest + given.end_s) / 3600


def tabulate(name: str, size: int, items: int, samples: int, given: Given) -> dict[str, Any]:
    """The figures of a backbone."""
    parts, judges = count_parts(name, False, size), count_judges()
    given = given._replace(scoring_s=given.scoring_s * (size / 512) ** 2)
    flops = count_run(parts, judges, items, samples)
    total, scored = sum(flops.values()), 2 * items + 4 * items * samples
    picture, judged = parts.picture(FAST, 1), floor_seconds(judges, DEVICE)
    return {
        "picture_tflop": round(picture / 1e12, 1),
        "picture_s": round(floor_seconds(picture, DEVICE) or 0.0, 3),
        "judges_s": round(judged or 0.0, 4),
        "pflop": {part: round(value / 1e15) for part, value in flops.items()},
        "gpu_hours": round((floor_seconds(total, DEVICE) or 0.0) / 3600, 2),
        "hours": {gpus: round(predict_hours(total, scored, gpus, given), 2) for gpus in (1, 8, 64)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=5000)
    parser.add_argument("--samples-per-item", type=int, default=4)
    parser.add_argument("--scoring-s", type=float, default=0.09)
    parser.add_argument("--batch-s", type=float, default=0.003)
    parser.add_argument("--load-s", type=float, default=60.0)
    parser.add_argument("--end-s", type=float, default=300.0)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--workers", type=int, default=4, help="a GPU")
    chosen = parser.parse_args()
    given = Given(
        chosen.scoring_s,
        chosen.batch_s,
        chosen.load_s,
        end_s=chosen.end_s,
        batch=chosen.batch,
        workers=chosen.workers,
    )
    found = {
        name: tabulate(name, size, chosen.items, samples=chosen.samples_per_item, given=given)
        for name, size in (("sd15", 512), ("sdxl", 1024))
    }
    print(json.dumps({"given": given._asdict(), **found}, indent=1))


if __name__ == "__main__":
    main()
