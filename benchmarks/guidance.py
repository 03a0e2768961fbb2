"""What each choice of guidance costs and brings on mini@1: passes, seconds, edges, caption, realism.

    python benchmarks/guidance.py variants --runs runs/guidance --out docs/guidance.csv
    python benchmarks/guidance.py stop --runs runs/guidance --out docs/stop.csv
    python benchmarks/guidance.py levers --skip 64 --items 128 --runs runs/guidance --out docs/levers.csv
    python benchmarks/guidance.py presets --skip 64 --items 128 --runs runs/guidance --out docs/presets.csv

Presets were picked from `variants`; `presets` compares them on items that played no part in it. Pictures are
drawn and scored as `lepbench evaluate` does it, without the reference rows that no line needs, and kept under
--runs by the hash of their settings: what was stopped goes on where it was. `..._less_first` is a figure less
that of the first line, paired by item.
`passes` counts U-Net passes a picture, captioned and empty ones apart, and `gradients` those with a way back;
`seconds` are a picture's share of its batch on the machine's clock, `processor_ms` of its processors for one
drawn alone, text encoder and decoder included: lines are timed in turn at the end, the least of three counts.
With OMP_NUM_THREADS=1 an idle machine takes as long.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from drawn import draw_condition

from lepbench.backbones import load_backbone
from lepbench.backbones.cost import count_passes
from lepbench.bars import show_bars
from lepbench.config import dump_config
from lepbench.evaluation.condition_table import ConditionTable
from lepbench.evaluation.conditions import Condition, make_model_condition, make_real_condition
from lepbench.evaluation.features import stack_features
from lepbench.evaluation.figure_names import strip_label
from lepbench.evaluation.judges import load_judges
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.references import load_references
from lepbench.evaluation.sample import make_batches
from lepbench.evaluation.schema import list_feature_columns
from lepbench.evaluation.summary import number_pictures, resample_conditions
from lepbench.files import sha256_bytes, write_text
from lepbench.guidance.presets import PRESETS
from lepbench.methods import Method, ModelConfig
from lepbench.metrics.statistics import Draws
from lepbench.progress import Progress
from lepbench.suites import Suite, load_suite

SUITE = "sketchworld-edges-v1"
ROUNDS = 3
"""Of timing; the quickest counts."""
PAIRED = ("edge_f1_1px", "kid", "faithful_f1")
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
    "ddim-20-strokes": (ddim(20), {"scale": 1.2, "stop": 0.2, "emphasis": 4.0}),
    "ddim-20-ground": (ddim(20), {"scale": 1.2, "stop": 0.2, "emphasis": 0.25}),
    "ddim-10": (ddim(10), {"scale": 1.2, "stop": 0.2}),
    "ddim-10-repeats": (ddim(10), {"scale": 0.6, "stop": 0.2, "repeats": {"times": 3, "above": 0.2}}),
    "dpmpp-20": ({"steps": 20, "scheduler": "dpmpp"}, {"scale": 1.2, "stop": 0.2}),
    "unipc-20": ({"steps": 20, "scheduler": "unipc"}, {"scale": 1.2, "stop": 0.2}),
    # Without a predictor: the edges of the foreseen clean picture, back through decoder and denoiser.
    "clean-20": (ddim(20), {"name": "clean-edges", "scale": 1.2, "stop": 0.2}),
    "clean-50": (ddim(50), {"name": "clean-edges", "scale": 1.6, "stop": 0.4}),
    "unipc-10": ({"steps": 10, "scheduler": "unipc"}, {"scale": 1.0, "stop": 0.2}),
}

PRESET_LINES: dict[str, tuple[Settings, Settings]] = {
    name: (PRESETS.get(name).sampler(), PRESETS.get(name).steering()) for name in ("paper", "fast")
}

STOPS: dict[str, tuple[Settings, Settings]] = {
    f"stop-{stop / 10:.1f}": (ddim(50), {"scale": 1.6, "stop": stop / 10}) for stop in range(10)
}


def unipc(steps: int, **settings: Any) -> Settings:
    return {"steps": steps, "scheduler": "unipc", **settings}


def trailing(steps: int, **settings: Any) -> Settings:
    return unipc(steps, timestep_spacing="trailing", **settings)


FAST: Settings = {"scale": 1.2, "stop": 0.2}
LEVERS: dict[str, tuple[Settings, Settings]] = {
    "fast": (unipc(20), FAST),
    "turbo": (PRESETS.get("turbo").sampler(), PRESETS.get("turbo").steering()),
    # At most 16 passes by other means.
    "16-no-empty": (trailing(16, guidance_scale=1.0), FAST),
    "12-empty-to-0.67": (trailing(12, guidance_stop=0.67), {"scale": 1.4, "stop": 0.2}),
    "8": (trailing(8), FAST),
    "12-empty-every-3": (trailing(12, guidance_every=3), FAST),
    "12-no-empty": (trailing(12, guidance_scale=1.0), FAST),
    "8-no-empty": (trailing(8, guidance_scale=1.0), FAST),
    "6-no-empty": (trailing(6, guidance_scale=1.0), FAST),
    "8-no-empty-every-2": (trailing(8, guidance_scale=1.0), {**FAST, "every": 2}),
    # One thing changed in `fast`.
    "gradient-every-2": (unipc(20), {**FAST, "every": 2}),
    "gradient-every-3": (unipc(20), {**FAST, "every": 3}),
    "no-empty": (unipc(20, guidance_scale=1.0), FAST),
    "empty-to-0.5": (unipc(20, guidance_stop=0.5), FAST),
    "empty-every-2": (unipc(20, guidance_every=2), FAST),
    "early-twice": (unipc(20), {**FAST, "repeats": {"times": 2, "above": 0.7}}),
    "features-4": (unipc(20), {**FAST, "feature_updates": 4}),
    "trailing": (trailing(20), FAST),
}


def distilled(steps: int, scheduler: str = "unipc") -> Settings:
    """Of the backbone into which classifier-free guidance is distilled."""
    own = {"scheduler": scheduler, "timestep_spacing": "trailing", "guidance_scale": 1.0}
    return {"backbone": "mini-live@1", "steps": steps, **own}


OWN = {"predictor": "lep-mini-live@1"}
LIVE: dict[str, tuple[Settings, Settings]] = {
    "fast": (unipc(20), FAST),
    "live": (distilled(6), {"scale": 1.0, "stop": 0.2, **OWN}),
    "live-5": (distilled(5), {"scale": 1.2, "stop": 0.2, **OWN}),
    "live-4": (distilled(4, "ddim"), {"scale": 0.6, "stop": 0.3, **OWN}),
    "live-predictor-of-mini": (distilled(6), {"scale": 1.0, "stop": 0.2}),
    "live-undistilled": (trailing(6, guidance_scale=1.0), {"scale": 1.0, "stop": 0.2}),
    "live-controlnet": (distilled(4, "ddim"), {"name": "controlled", "control": "controlnet-mini@1"}),
}
"""Few steps of the distilled backbone, by its own predictor and by that of mini@1."""
EARLY_TAPS: dict[str, tuple[Settings, Settings]] = {
    "early-taps": (unipc(20), FAST),
    "early-taps-thrice": (unipc(20), {"scale": 0.6, "stop": 0.2, "repeats": {"times": 3, "above": 0.2}}),
}
"""Lines with the predictor of --early, which reads early taps alone."""

TABLES = {"variants": VARIANTS, "stop": STOPS, "presets": PRESET_LINES, "levers": LEVERS, "live": LIVE}


def model_of(name: str, sampler: Settings, method: Settings) -> ModelConfig:
    """A line of a table as MODEL.yaml would have it; of the sampler's settings `backbone` is the model's."""
    settings = {key: value for key, value in sampler.items() if key != "backbone"}
    backbone = {"backbone": sampler["backbone"]} if "backbone" in sampler else {}
    return ModelConfig.model_validate(
        {"name": name, **backbone, "sampler": settings, "method": {"name": "lep", **method}}
    )


def build(model: ModelConfig) -> Method:
    """The model with its weights."""
    return model.method.build(load_backbone(str(model.backbone)), model.sampler)


class Bench:
    """A suite, its judges, and the folder in which rows are kept."""

    def __init__(self, suite: Suite, skip: int, items: int, folder: Path) -> None:
        self.folder = folder
        self.protocol = select_protocol(suite)
        self.judges = load_judges(self.protocol)
        self.batches = make_batches(suite, suite.items(skip + items)[skip:], 1, self.protocol.batch_size)
        self.skip, self.items = skip, items
        self.first: dict[str, Draws] = {}

    def line(self, name: str, model: ModelConfig, progress: Progress) -> dict[str, Any]:
        """A line of the table: settings, cost, figures with the ends of their intervals."""
        method = build(model)
        passes, gradients = self._passes(method)
        real = self._table("real", make_real_condition(), progress)
        drawn = self._table(
            f"{name}-{sha256_bytes(dump_config(model).encode())[:8]}", make_model_condition(method), progress
        )
        columns = list_feature_columns(self.protocol)
        rows = [name for name in real.schema.names if name not in columns]
        frame = number_pictures(
            pa.concat_tables([real.read_columns(rows), drawn.read_columns(rows)]).to_pandas()
        )
        batches = list(drawn.read_batches(["status", *columns]))
        features = {"model": {c.partition("@")[2]: stack_features(batches, c) for c in columns}}
        references = load_references(self.protocol)
        made = resample_conditions(frame, features, references, self.protocol, rows=("model",))["model"]
        # Columns of the table bear no judge: all figures are by those of sketchworld.
        found = {strip_label(metric): draws for metric, draws in made.items()}
        self.first = self.first or found
        row: dict[str, Any] = {
            "variant": name,
            **settings_of(model),
            "skipped": self.skip,
            "items": self.items,
            "passes": passes,
            "gradients": gradients,
            "seconds": round(drawn.read_columns(["seconds"])["seconds"].to_pandas().mean(), 3),
        }
        for metric in FIGURES:
            row |= self._told(metric, found[metric])
        for metric in PAIRED:
            row |= self._told(f"{metric}_less_first", found[metric].minus(self.first[metric]))
        return row

    def _told(self, name: str, draws: Draws) -> dict[str, float]:
        """A figure and the ends of its interval."""
        ends = draws.interval(self.protocol.confidence)
        return {name + end: round(value, 4) for end, value in zip(("", "_low", "_high"), ends, strict=True)}

    def _table(self, folder: str, row: Condition, progress: Progress) -> ConditionTable:
        kept = self.folder / f"{folder}-{self.skip}-{self.items}"
        return draw_condition(
            kept, row, self.batches, judges=self.judges, protocol=self.protocol, progress=progress
        )

    def time_models(self, models: Sequence[ModelConfig]) -> list[int]:
        """Milliseconds of the processors for one picture by each, the least of some drawn in turn."""
        methods = [build(model) for model in models]
        taken = [[self._milliseconds(method) for method in methods] for _ in range(ROUNDS)]
        return [round(min(times)) for times in zip(*taken, strict=True)]

    def _milliseconds(self, method: Method) -> float:
        started = time.process_time()
        method.draw([self.batches[0][0].request])
        return 1000 * (time.process_time() - started)

    def _passes(self, method: Method) -> tuple[int, int]:
        """U-Net passes of one picture, and how many of them keep a graph: counted, not reckoned."""
        assert method.counted is not None
        with count_passes(method.counted.denoiser) as passes:
            method.draw([self.batches[0][0].request])
        return passes.total, passes.steered


def settings_of(model: ModelConfig) -> Settings:
    """What a line differs in."""
    method = model.method.model_dump(mode="json")
    options = {
        key: method.get(key) for key in ("decay", "repeats", "travel", "every", "emphasis", "feature_updates")
    }
    later = model.sampler.model_dump(include={"timestep_spacing", "guidance_stop", "guidance_every"})
    schedule = [
        f"{key} {value}" for key, value in {**later, **options}.items() if value not in (None, "constant")
    ]
    return {
        "method": model.method.name,
        "scheduler": model.sampler.scheduler,
        "steps": model.sampler.steps,
        "cfg": model.sampler.guidance_scale,
        "scale": method["scale"],
        "stop": method.get("stop"),
        "options": "; ".join(schedule).translate(str.maketrans("", "", "{}'")),
    }


def told_of(progress: Progress, name: str, row: str, done: int, total: int) -> None:
    """A bar for each row of each line."""
    progress(f"{name}: {row}", done, total)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", choices=list(TABLES))
    parser.add_argument("--items", type=int, default=64, help="of the suite")
    parser.add_argument("--skip", type=int, default=0, help="items to pass over first")
    parser.add_argument("--only", nargs="*", help="lines by name; all unless said")
    parser.add_argument("--early", type=Path, help="a predictor of early taps (benchmarks/predictors.py)")
    parser.add_argument("--runs", type=Path, required=True, help="folder of the evaluations")
    parser.add_argument("--out", type=Path, required=True, help="CSV")
    chosen = parser.parse_args()
    bench = Bench(load_suite(SUITE), chosen.skip, chosen.items, chosen.runs)
    table, lines = TABLES[chosen.table], []
    if chosen.early is not None:
        early = {"predictor": str(chosen.early)}
        table = table | {name: (sampler, method | early) for name, (sampler, method) in EARLY_TAPS.items()}
    models = {
        name: model_of(name, sampler, method)
        for name, (sampler, method) in table.items()
        if not chosen.only or name in chosen.only
    }
    for name, model in models.items():
        with show_bars() as progress:
            lines.append(bench.line(name, model, partial(told_of, progress, name)))
        # After every line: what is done is there to be read.
        write_text(chosen.out, pd.DataFrame(lines).to_csv(index=False))
    frame = pd.DataFrame(lines).assign(processor_ms=bench.time_models(list(models.values())))
    write_text(chosen.out, frame.to_csv(index=False))
    print(frame[["variant", "passes", "gradients", "processor_ms", *FIGURES]].to_string(index=False))


if __name__ == "__main__":
    main()
