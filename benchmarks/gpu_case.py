"""What `gpu.py` measures of a backbone: a guided step, a finished picture, and pictures scored as they come.

Weights are random and of the true configuration; embeddings of captions and the suite's pictures are random.
"""

from __future__ import annotations

import dataclasses
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from drawn import draw_condition
from floors import count_parts, floor_seconds
from guided_step import CFG, Contest, add_vae, peak_bytes, random_backbone, seconds
from large_run import make_case
from torch import Tensor

from lepbench.backbones.cost import count_passes
from lepbench.evaluation.condition_table import ConditionTable
from lepbench.evaluation.conditions import MODEL, Condition
from lepbench.evaluation.judges import load_judges
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.sample import OK, Batch, Sample, make_batches
from lepbench.guidance import SamplerSettings
from lepbench.guidance.execution import Execution
from lepbench.guidance.presets import PRESETS
from lepbench.images import to_pixels
from lepbench.methods.lep import Lep, LepConfig
from lepbench.quiet import silence_libraries
from lepbench.suites import Suite

FAST = PRESETS.get("fast")
SAMPLER = SamplerSettings(guidance_scale=CFG, **FAST.sampler())
WARM = SAMPLER.model_copy(update={"steps": 5})
"""The first pictures, which no figure is of: guided and plain steps, few of each."""
ITEMS = 8
SEED = 0
GIB = 2**30
Figures = dict[str, Any]


class Scale(NamedTuple):
    """How large a measurement is.

    Attributes:
        device: of the networks, whose precision is bfloat16.
        sizes: side of a picture in pixels, by backbone.
        tiny: narrow networks.
        hidden: widths of the predictor.
        rounds: of a measurement at most.
        seconds: after which no further round begins.
    """

    device: torch.device
    sizes: dict[str, int]
    tiny: bool
    hidden: tuple[int, ...]
    rounds: int
    seconds: float


class Drawing:
    """A backbone and a suite of its size, ready to be measured at any batch size."""

    def __init__(self, name: str, compiled: bool, scale: Scale, folder: Path) -> None:
        torch.manual_seed(SEED)
        self.scale, self.folder, self.size = scale, folder, scale.sizes[name]
        # diffusers warns of any cast.
        with silence_libraries():
            backbone = add_vae(
                random_backbone(scale.tiny, name, scale.device, torch.bfloat16), name, scale.tiny
            )
        self.backbone = Execution(compiled=compiled).prepare(backbone)
        self.suite = open_suite(folder / f"{self.size}", self.size)
        self.parts = count_parts(name, scale.tiny, self.size)

    def measure(self, batch: int) -> Iterator[Figures]:
        """The figures of a batch size, measurement by measurement."""
        torch.manual_seed(SEED)
        side = self.backbone.latent_shape(self.size)[-1]
        contest = Contest(self.backbone, side, self.scale.hidden, batch)
        yield self._measure_step(contest)
        config = LepConfig.model_validate({"name": "lep", **FAST.steering()})
        method = Lep(self.backbone, SAMPLER, contest.predictor, config)
        drawn = self._measure_picture(method, batch)
        yield drawn
        yield self._measure_scored(method, batch, drawn["picture_s"])

    def _measure_step(self, contest: Contest) -> Figures:
        contest.guided()
        times, peak = self._time(contest.guided)
        batch = len(contest.prompts)
        return self._tell("step", times, peak, flops=batch * self.parts.guided_step)

    def _measure_picture(self, method: Lep, batch: int) -> Figures:
        requests = [sample.request for sample in self._batches(batch, 1)[0]]
        dataclasses.replace(method, sampler=WARM).draw(requests)
        with count_passes(self.backbone.denoiser) as passes:
            times, peak = self._time(lambda: to_pixels(method.draw(requests)))
        pictures = batch * len(times)
        told = self._tell("picture", times, peak, flops=batch * self.parts.picture(passes, pictures))
        return told | {"pictures_per_s": batch / told["picture_s"]}

    def _measure_scored(self, method: Lep, batch: int, picture_s: float) -> Figures:
        """Pictures a second that are drawn, scored, and encoded and written beside the next batch."""
        count = min(max(2, int(self.scale.seconds / picture_s)), ITEMS)
        batches = self._batches(batch, count)

        def draw(samples: Batch) -> Tensor:
            return method.draw([sample.request for sample in samples])

        protocol = select_protocol(self.suite)
        with tempfile.TemporaryDirectory(dir=self.folder) as place:
            judges, condition = load_judges(protocol), Condition(MODEL, draw, method=method)
            tables = list[ConditionTable]()
            taken, _ = seconds(
                lambda: tables.append(
                    draw_condition(Path(place), condition, batches, judges=judges, protocol=protocol)
                )
            )
            # A picture that fails has a line of its own there, and the run goes on.
            if set(tables[0].read_columns(["status"])["status"].to_pylist()) != {OK}:
                raise RuntimeError("a picture could not be drawn beside its scoring")
        return {"scored_pictures_per_s": sum(map(len, batches)) / taken}

    def _batches(self, batch: int, count: int) -> list[list[Sample]]:
        """So many batches of the suite's samples."""
        found = make_batches(self.suite, self.suite.items(ITEMS), count, batch)
        return [list(samples) for samples in found[:count]]

    def _time(self, work: Callable[[], object]) -> tuple[list[float], int | None]:
        """Seconds of each round, and the most memory that any took on a GPU, weights included."""
        times: list[float] = []

        def repeat() -> None:
            while not times or (len(times) < self.scale.rounds and sum(times) < self.scale.seconds):
                times.append(seconds(work)[0])

        if self.scale.device.type == "cuda":
            return times, peak_bytes(repeat)
        repeat()
        return times, None

    def _tell(self, name: str, times: list[float], peak: int | None, flops: float) -> Figures:
        """The columns of a step, or of a picture, of the whole batch."""
        median = statistics.median(times)
        floor = floor_seconds(flops, name_device(self.scale.device))
        return {
            f"{name}_s": median,
            f"{name}_rounds": len(times),
            f"{name}_gflop": flops / 1e9,
            f"{name}_floor_s": floor,
            f"{name}_ratio": None if floor is None else median / floor,
            f"{name}_peak_gib": None if peak is None else peak / GIB,
        }


def open_suite(folder: Path, size: int) -> Suite:
    """A suite of random pictures with their edge maps; made if it is not there."""
    if not folder.is_dir():
        make_case(folder, ITEMS, size)
    return Suite(folder / "suite")


def name_device(device: torch.device) -> str:
    """What the maker calls it; `cpu` for one."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
