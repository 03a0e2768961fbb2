"""A record counts only with samples and pictures that bear it out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from forged_run import copy, edit, finished, forge, replaced

from lepbench.errors import LepbenchError
from lepbench.evaluation.record import read_record
from lepbench.evaluation.verify import verify_record
from lepbench.judges import Judges
from lepbench.suites import Suite

__all__ = ["copy", "finished"]


def test_a_finished_run_is_borne_out(copy: Path, tiny_suite: Suite, tiny_judges: Judges) -> None:
    assert verify_record(copy, tiny_suite) == read_record(copy)


def better(document: Any) -> None:
    document["rows"]["model"]["edge_f1_1px"]["value"] += 0.01


def narrower(document: Any) -> None:
    document["rows"]["model"]["kid@sketchworld-clip"]["low"] = None


FORGERIES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a better figure": (lambda f: edit(f, better), "record says edge_f1_1px of model has value"),
    "an interval dropped": (lambda f: edit(f, narrower), "kid@sketchworld-clip of model has low None"),
    "a metric dropped": (
        lambda f: edit(f, lambda d: d["rows"]["model"].pop("kid@sketchworld-clip")),
        "other rows or metrics",
    ),
    "a row dropped": (lambda f: edit(f, lambda d: d["rows"].pop("overlay")), "other rows or metrics"),
    "another protocol": (
        lambda f: edit(f, lambda d: d["identity"].update(protocol_sha256="0")),
        "another protocol than the present lepbench-edges-v1",
    ),
    "a looser protocol": (
        lambda f: edit(f, lambda d: d["protocol"].update(contour_tolerance=2)),
        "another protocol than the present lepbench-edges-v1",
    ),
    "another suite": (
        lambda f: edit(f, lambda d: d["identity"].update(suite_sha256="0")),
        "another tiny-suite",
    ),
    "more samples claimed": (lambda f: edit(f, lambda d: d.update(samples=640)), "wrong number of samples"),
    "another schema": (lambda f: edit(f, lambda d: d.update(schema_version=9)), "has schema 9"),
    "an unknown key": (lambda f: edit(f, lambda d: d.update(sampels=1)), "'sampels'.*did you mean 'samples'"),
    "no record": (lambda f: (f / "record.json").unlink(), "cannot read .*record.json"),
    "no samples": (lambda f: (f / "samples.parquet").unlink(), "missing file .*samples.parquet"),
    "edited samples": (
        lambda f: pq.write_table(pq.read_table(f / "samples.parquet")[:-1], f / "samples.parquet"),
        "not the file",
    ),
    "a sample dropped": (lambda f: forge(f, lambda t: t[:-1]), "does not hold the samples"),
    "a chosen seed": (lambda f: forge(f, lambda t: replaced(t, "seed", 7)), "does not hold the samples"),
    "a chosen item": (
        lambda f: forge(f, lambda t: t.filter(pc.not_equal(t["item_id"], t["item_id"][0]))),
        "does not hold the samples",
    ),
    "a failure": (lambda f: forge(f, lambda t: replaced(t, "status", "failed")), "1 samples of .* failed"),
    "a count raised": (
        lambda f: forge(f, lambda t: replaced(t, "mask_intersection@sketchworld-segmenter", 10**6)),
        "mask_intersection@sketchworld-segmenter 1000000, no number of 0 to 4096 pixels in row 'wrong",
    ),
    "a column dropped": (lambda f: forge(f, lambda t: t.drop_columns(["reason"])), "other columns"),
    "a picture gone": (
        lambda f: next((f / "samples" / "model").iterdir()).unlink(),
        "missing or not the picture",
    ),
    "another picture": (
        lambda f: next((f / "samples" / "overlay").iterdir()).write_bytes(b""),
        "missing or not the picture",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_what_does_not_agree_is_refused(
    copy: Path, tiny_suite: Suite, tiny_judges: Judges, name: str
) -> None:
    forgery, message = FORGERIES[name]
    forgery(copy)
    with pytest.raises(LepbenchError, match=message):
        verify_record(copy, tiny_suite)
