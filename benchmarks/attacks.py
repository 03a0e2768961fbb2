"""Which figure can be cheated? Pictures of a finished run, attacked, scored by candidates for the headline.

    python benchmarks/attacks.py runs/mini-lep --out docs/attacks.csv
    python benchmarks/attacks.py runs/mini-lep-freehand --out docs/attacks-freehand.csv

An attack on the unguided pictures must not come near the guided ones, and an attack on the guided ones must
not gain. A line is printed for each: the run's rows, then base, attack, strength and every candidate. The run
may be of any suite, with unguided pictures; its record says by which protocol and judges they are scored.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from attack_kinds import ATTACKS, SUBMISSIONS

from lepbench.evaluation.features import read_features
from lepbench.evaluation.judges import load_judges
from lepbench.evaluation.layout import SAMPLES, locate_picture
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.record import read_record
from lepbench.evaluation.references import load_references
from lepbench.evaluation.sample import Sample, make_batches
from lepbench.evaluation.schema import list_feature_columns
from lepbench.evaluation.score import score_pictures
from lepbench.evaluation.summary import number_pictures, resample_conditions
from lepbench.images import Pixels, open_rgb, to_pixels, to_tensor
from lepbench.judges import Judges
from lepbench.suites import load_suite

CANDIDATES = (
    "faithful_f1",
    "faithful_iou",
    "edge_f1_1px",
    "edge_f1_2px",
    "edge_f1_3px",
    "paired_f1_1px",
    "paired_f1_2px",
    "edge_f1_1px_contour",
    "stroke_recall_2px",
    "chamfer_px",
    "soft_iou",
    "ms_ssim",
    "mask_iou",
    "clip_skill",
    "sketch_similarity",
    "class_accuracy",
    "kid",
    "fid",
    "fd",
    "cmmd",
)
"""Names without the judge that follows them in `clip_skill@openai-b16`."""
ALIGNMENTS = ("edge_f1_1px", "edge_f1_2px", "paired_f1_1px", "paired_f1_2px")
"""Those that are multiplied by the share of the caption that is shown, as in `faithful_f1`."""
SKILL = "clip_skill"
HONEST = ("real", "unguided", "model", "overlay")
BASES = ("unguided", "model")
AT_ONCE = 32


def harmonic(*parts: float) -> float:
    """Harmonic mean of parts clipped to [0, 1]; 0 if one is."""
    clipped = np.clip(parts, 0, 1)
    return float(len(clipped) / (1 / np.maximum(clipped, 1e-9)).sum()) if clipped.min() > 0 else 0.0


def candidates(figures: dict[str, float]) -> dict[str, float]:
    """What might be the headline, from the figures of one set that its protocol has."""
    found = {name: value for name, value in figures.items() if name.split("@")[0] in CANDIDATES}
    skills = [name for name in found if name.split("@")[0] == SKILL]
    aligned = [name for name in ALIGNMENTS if name in found]
    found |= {f"{a} * {s}": found[a] * float(np.clip(found[s], 0, 1)) for s in skills for a in aligned}
    parts = [found[name] for name in ("edge_f1_1px", "mask_iou", SKILL) if name in found]
    if len(parts) == 3:
        found |= {"edges_iou": harmonic(*parts[:2]), "edges_iou_skill": harmonic(*parts)}
    return found


def score_set(
    row: str, pixels: Pixels, batch: list[Sample], judges: Judges, protocol: Protocol
) -> pd.DataFrame:
    """A set's lines of a samples table, uint8 [N, H, W, 3], a picture a sample."""
    columns: list[dict[str, Any]] = []
    for start in range(0, len(batch), AT_ONCE):
        part = batch[start : start + AT_ONCE]
        truths = [sample.item for sample in part]
        columns += score_pictures(
            pixels[start : start + AT_ONCE], part, truths=truths, judges=judges, protocol=protocol
        )
    items = [sample.item.item_id for sample in batch]
    return pd.DataFrame(columns).assign(row=row, item_id=items, sample_index=0, status="ok")


def attack_run(run: Path, batch: list[Sample]) -> Iterator[tuple[str, Pixels]]:
    """Every set of attacked pictures of a run, and those that its sketches alone make, by name."""
    sketches = torch.from_numpy(np.stack([sample.item.sketch for sample in batch])).float()[:, None]
    for base in BASES:
        pictures = to_tensor(read(run, base, [sample.item.item_id for sample in batch]))
        for name, (attack, strengths) in ATTACKS.items():
            for strength in strengths:
                yield f"{base}/{name}/{strength:g}", to_pixels(attack(pictures, sketches, strength))
    for name, make in SUBMISSIONS.items():
        yield name, to_pixels(make(sketches))


def read(run: Path, row: str, items: list[str]) -> Pixels:
    """A row's pictures of a finished run."""
    return np.stack([np.asarray(open_rgb(locate_picture(run, row, item))) for item in items])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    record = read_record(chosen.run)
    suite, protocol = load_suite(record.identity.suite), record.protocol
    judges = load_judges(protocol)
    batches = make_batches(suite, suite.take(record.identity.items), 1, protocol.batch_size)
    batch = [sample for one in batches for sample in one]
    stored = number_pictures(pd.read_parquet(chosen.run / SAMPLES))
    sets = [stored[stored["row"].isin(HONEST) & (stored["sample_index"] == 0)]]
    features = dict(read_features(chosen.run, record.features_sha256))
    columns = list_feature_columns(protocol)
    for row, pixels in attack_run(chosen.run, batch):
        frame = score_set(row, pixels, batch, judges=judges, protocol=protocol)
        features[row] = {name.partition("@")[2]: np.stack(frame.pop(name).to_list()) for name in columns}
        sets.append(frame.assign(picture=range(len(frame))))
        print(row, flush=True)
    found = resample_conditions(pd.concat(sets), features, load_references(protocol), protocol)
    lines = {row: candidates({name: d.value for name, d in drawn.items()}) for row, drawn in found.items()}
    table = pd.DataFrame(lines).T.round(4).rename_axis("set")
    table.to_csv(chosen.out)
    print(table.to_string())


if __name__ == "__main__":
    main()
