"""Seconds of one finished picture: `fast` and `turbo` against the paper's settings, literally rendered.

    python benchmarks/picture.py

The networks are those of `guided_step.py`: Stable Diffusion 1.5's U-Net with random weights, the paper's
predictor, batch 1 under classifier-free guidance. Literal: 250 DDIM steps, those above the stop time guided
as public code does it; of them every --stride-th is run, and the sum taken that often. A preset: sampler and
method of `examples/mini-lep-PRESET.yaml`, whole; it is run before and after, and the slower run is
told. On stdout, as JSON:

    literal_s, literal_steps, literal_guided, stride
    fast_s, fast_steps, fast_guided, fast_ratio       ratio: literal_s to fast_s
    turbo_s, turbo_steps, turbo_guided, turbo_ratio
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from guided_step import Contest, random_backbone, seconds

from lepbench.config import load_config
from lepbench.guidance import SamplerSettings, sample
from lepbench.methods import ModelConfig
from lepbench.methods.lep import LepConfig

PRESETS = Path(__file__).parent.parent / "examples"
NAMES = ("fast", "turbo")


def preset(name: str) -> tuple[SamplerSettings, LepConfig]:
    """Sampler and method of an example."""
    model = load_config(PRESETS / f"mini-lep-{name}.yaml", ModelConfig)
    assert isinstance(model.method, LepConfig)
    return model.sampler, model.method


def guided_steps(settings: SamplerSettings, stop: float) -> int:
    """How many of evenly spaced timesteps lie above the stop time."""
    return sum((settings.steps - step) / settings.steps > stop for step in range(settings.steps))


def literal_seconds(contest: Contest, settings: SamplerSettings, stop: float, stride: int) -> float:
    """Guided steps as public code writes them, then plain ones; every `stride`-th is run."""
    guided, taken = guided_steps(settings, stop), 0.0
    for step in range(0, settings.steps, stride):
        taken += stride * seconds(contest.literal if step < guided else contest.plain)[0]
        print(f"literal step {step + 1} of {settings.steps}; load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    return taken


def preset_picture(contest: Contest, settings: SamplerSettings, method: LepConfig) -> Callable[[], None]:
    """A whole picture by the sampler that `lepbench sample` calls."""
    guidance = contest.guided_by(method.scale, method.stop)

    def draw() -> None:
        sample(contest.backbone, [""], contest.noise, settings, guidance=guidance)

    return draw


def preset_seconds(contest: Contest) -> dict[str, float]:
    """Seconds of a whole picture by each preset."""
    taken = {name: seconds(preset_picture(contest, *preset(name)))[0] for name in NAMES}
    print("; ".join(f"{name} {value:.1f} s" for name, value in taken.items()), file=sys.stderr)
    return taken


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=32, help="of the latent")
    parser.add_argument("--stride", type=int, default=10, help="1 runs every literal step, for half an hour")
    parser.add_argument("--tiny", action="store_true", help="a narrow U-Net, to try the benchmark itself")
    return parser.parse_args()


def main() -> None:
    chosen = arguments()
    torch.manual_seed(0)
    hidden = (64, 32) if chosen.tiny else (512, 256, 128, 64)
    contest = Contest(random_backbone(chosen.tiny), chosen.side, hidden)
    paper, paper_method = preset("paper")
    before = preset_seconds(contest)
    literal_s = literal_seconds(contest, paper, paper_method.stop, chosen.stride)
    after = preset_seconds(contest)
    found: dict[str, float] = {
        "literal_s": literal_s,
        "literal_steps": paper.steps,
        "literal_guided": guided_steps(paper, paper_method.stop),
        "stride": chosen.stride,
    }
    for name in NAMES:
        settings, method = preset(name)
        taken = max(before[name], after[name])
        found[f"{name}_s"] = taken
        found[f"{name}_steps"] = settings.steps
        found[f"{name}_guided"] = guided_steps(settings, method.stop)
        found[f"{name}_ratio"] = literal_s / taken
    print(json.dumps(found))


if __name__ == "__main__":
    main()
