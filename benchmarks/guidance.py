"""What each choice of guidance costs and brings on mini@1: passes, seconds, edges, caption, realism.

    python benchmarks/guidance.py variants --limit 64 --runs runs/guidance --out docs/guidance.csv
    python benchmarks/guidance.py stop --limit 64 --runs runs/guidance --out docs/stop.csv

Every line is an ordinary evaluation kept under --runs: a run that was stopped goes on where it was, and a
longer table costs only its new lines. `passes` counts U-Net passes a picture, captioned and empty ones
apart, and `gradients` those with a way back; seconds are those of the machine it ran on.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from lepbench.backbones import load_backbone
from lepbench.cli.bars import bars
from lepbench.evaluation.record import Record
from lepbench.evaluation.run import evaluate
from lepbench.files import write_text
from lepbench.methods import ModelConfig, Request
from lepbench.suites import Suite, load_suite

SUITE = "sketchworld-edges-v1"
FIGURES = ("edge_f1_1px", "edge_recall_1px", "clip_skill", "kid", "faithful_f1")
Settings = dict[str, Any]


def ddim(steps: int) -> Settings:
    return {"steps": steps, "scheduler": "ddim"}


VARIANTS: dict[str, tuple[Settings, Settings]] = {
    # The paper's settings, but for mini's own classifier-free scale of 4; then with the paper's.
    "paper": (ddim(250), {"scale": 1.6, "stop": 0.5}),
    "paper-cfg-8": ({**ddim(250), "guidance_scale": 8.0}, {"scale": 1.6, "stop": 0.5}),
    "ddim-50": (ddim(50), {"scale": 1.6, "stop": 0.4}),
    "ddim-50-gentle": (ddim(50), {"scale": 1.2, "stop": 0.3}),
    "ddim-50-linear": (ddim(50), {"scale": 2.0, "stop": 0.2, "decay": "linear"}),
    "ddim-50-cosine": (ddim(50), {"scale": 2.0, "stop": 0.2, "decay": "cosine"}),
    "ddim-20": (ddim(20), {"scale": 1.6, "stop": 0.4}),
    "ddim-20-longer": (ddim(20), {"scale": 1.2, "stop": 0.2}),
    "ddim-20-linear": (ddim(20), {"scale": 1.6, "stop": 0.1, "decay": "linear"}),
    "ddim-20-repeats": (ddim(20), {"scale": 0.8, "stop": 0.3, "repeats": {"times": 2, "above": 0.3}}),
    "ddim-20-early-repeats": (ddim(20), {"scale": 1.0, "stop": 0.3, "repeats": {"times": 2, "above": 0.7}}),
    "ddim-20-travel": (
        ddim(20),
        {"scale": 1.2, "stop": 0.3, "travel": {"times": 1, "back": 1, "above": 0.6}},
    ),
    "ddim-10": (ddim(10), {"scale": 1.2, "stop": 0.2}),
    "ddim-10-repeats": (ddim(10), {"scale": 0.6, "stop": 0.2, "repeats": {"times": 3, "above": 0.2}}),
    "dpmpp-20": ({"steps": 20, "scheduler": "dpmpp"}, {"scale": 1.2, "stop": 0.2}),
    "unipc-20": ({"steps": 20, "scheduler": "unipc"}, {"scale": 1.2, "stop": 0.2}),
    "unipc-10": ({"steps": 10, "scheduler": "unipc"}, {"scale": 1.0, "stop": 0.2}),
}

STOPS: dict[str, tuple[Settings, Settings]] = {
    f"stop-{stop / 10:.1f}": (ddim(50), {"scale": 1.6, "stop": stop / 10}) for stop in range(10)
}

TABLES = {"variants": VARIANTS, "stop": STOPS}


def model_of(name: str, sampler: Settings, method: Settings) -> ModelConfig:
    """A line of a table as MODEL.yaml would have it."""
    return ModelConfig.model_validate({"name": name, "sampler": sampler, "method": {"name": "lep", **method}})


def passes_of(model: ModelConfig, suite: Suite) -> tuple[int, int]:
    """U-Net passes of one picture, and how many of them keep a graph: counted, not reckoned."""
    backbone = load_backbone(str(model.backbone))
    passes = gradients = 0

    def count(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        nonlocal passes, gradients
        passes += len(inputs[0])
        gradients += len(inputs[0]) * torch.is_grad_enabled()

    backbone.denoiser.register_forward_pre_hook(count)
    method = model.method.build(backbone, model.sampler)
    item = suite.items(1)[0]
    method.draw([Request("0.png", item.prompt, item.sketch, suite.seed(item, 0))])
    return passes, gradients


def line(name: str, model: ModelConfig, record: Record, passes: tuple[int, int]) -> dict[str, Any]:
    """A line of the table: settings, cost, figures with the ends of their intervals."""
    settings = model.method.model_dump(mode="json", exclude_defaults=True)
    extras = [f"{key} {value}" for key, value in settings.items() if key in ("decay", "repeats", "travel")]
    row: dict[str, Any] = {
        "variant": name,
        "scheduler": model.sampler.scheduler,
        "steps": model.sampler.steps,
        "cfg": model.sampler.guidance_scale,
        "scale": getattr(model.method, "scale", None),
        "stop": getattr(model.method, "stop", None),
        "course": "; ".join(extras).replace("'", "").replace("{", "").replace("}", ""),
        "items": record.samples,
        "passes": passes[0],
        "gradients": passes[1],
        "seconds": round(record.timing.drawing["model"] / record.samples, 3),
    }
    for metric in FIGURES:
        figure = record.rows["model"][metric]
        ends = {"": figure.value, "_low": figure.low, "_high": figure.high}
        row |= {metric + end: None if v is None else round(v, 4) for end, v in ends.items()}
    return row


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", choices=list(TABLES))
    parser.add_argument("--limit", type=int, default=64, help="items of the suite")
    parser.add_argument("--only", nargs="*", help="lines by name; all unless said")
    parser.add_argument("--runs", type=Path, required=True, help="folder of the evaluations")
    parser.add_argument("--out", type=Path, required=True, help="CSV")
    chosen = parser.parse_args()
    suite = load_suite(SUITE)
    lines = []
    for name, (sampler, method) in TABLES[chosen.table].items():
        if chosen.only and name not in chosen.only:
            continue
        model = model_of(name, sampler, method)
        with bars() as show:
            record = evaluate(
                model,
                suite,
                chosen.runs / f"{name}-{chosen.limit}",
                limit=chosen.limit,
                progress=lambda row, done, total, name=name: show(f"{name}: {row}", done, total),
            )
        lines.append(line(name, model, record, passes_of(model, suite)))
        # After every line: what is done is there to be read.
        write_text(chosen.out, pd.DataFrame(lines).to_csv(index=False))
    shown = pd.DataFrame(lines)[["variant", "passes", "gradients", "seconds", *FIGURES]]
    print(shown.to_string(index=False))


if __name__ == "__main__":
    main()
