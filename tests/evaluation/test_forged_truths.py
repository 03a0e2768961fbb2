"""What the verifier has or can compute is not taken from the submitter."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from forged_run import copy, finished, forge, reckon, replaced

from lepbench.errors import LepbenchError
from lepbench.evaluation import recount
from lepbench.evaluation.conditions import ConditionKind
from lepbench.evaluation.recount import recount_samples
from lepbench.evaluation.verify import verify_record
from lepbench.progress import ignore_progress
from lepbench.suites import Suite

__all__ = ["copy", "finished"]


def swap_pictures(folder: Path, row: str, source: str) -> None:
    """Copy one condition's pictures over another's, with the hashes, columns and figures that follow."""
    for path in (folder / "samples" / source).iterdir():
        shutil.copy(path, folder / "samples" / row / path.name)
    taken = {name for name in pq.read_schema(folder / "samples.parquet").names if name not in ("row", "seed")}

    def change(table: pa.Table) -> pa.Table:
        lines = table.to_pylist()
        found = {(line["item_id"], line["sample_index"]): line for line in lines if line["row"] == source}
        for line in lines:
            if line["row"] == row:
                other = found[line["item_id"], line["sample_index"]]
                line.update({name: other[name] for name in taken})
        return pa.Table.from_pylist(lines, table.schema)

    forge(folder, change)
    reckon(folder)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("real", "samples/real/.*-0.png is not the suite's picture of "),
        ("overlay", "samples/overlay/.*-0.png is not the sketch of .* on the unguided picture"),
    ],
)
def test_pictures_of_the_model_are_no_references(
    copy: Path, tiny_suite: Suite, row: str, message: str
) -> None:
    swap_pictures(copy, row, "model")
    with pytest.raises(LepbenchError, match=message):
        verify_record(copy, tiny_suite)


def test_the_wrong_sketch_is_compared_with_the_models_pictures(copy: Path, tiny_suite: Suite) -> None:
    def change(table: pa.Table) -> pa.Table:
        return replaced(table, "png_sha256", table["png_sha256"][0].as_py())

    forge(copy, change)
    with pytest.raises(
        LepbenchError, match="compares another picture with the wrong sketch than the model's"
    ):
        verify_record(copy, tiny_suite)


def test_pictures_are_files_of_the_run(copy: Path, tiny_suite: Suite, tmp_path: Path) -> None:
    path = next((copy / "samples" / "model").iterdir())
    shutil.move(path, tmp_path / "elsewhere.png")
    path.symlink_to(tmp_path / "elsewhere.png")
    with pytest.raises(LepbenchError, match="is a link to a file outside"):
        verify_record(copy, tiny_suite)


def test_reference_pictures_of_two_runs_are_scored_once(
    copy: Path, tiny_suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: list[str] = []
    score = recount._score

    def count(kind: ConditionKind, *rest: Any, **terms: Any) -> list[dict[str, Any]]:
        scored.append(kind.name)
        return score(kind, *rest, **terms)

    monkeypatch.setattr(recount, "_score", count)
    known: recount.Known = {}
    recount_samples(copy, tiny_suite, None, ignore_progress, known=known)
    first = set(scored)
    scored.clear()
    recount_samples(copy, tiny_suite, None, ignore_progress, known=known)
    assert first == {"model", "unguided", "real", "vae", "overlay", "wrong_sketch"}
    assert set(scored) == {"model", "wrong_sketch"}
    forge(copy, lambda t: replaced(t, "edge_predicted", 1, t["row"].to_pylist().index("real")))
    with pytest.raises(LepbenchError, match=r"gives edge_predicted \d+ in row 'real'"):
        recount_samples(copy, tiny_suite, None, ignore_progress, known=known)


SIMILARITY = "clip_similarity@sketchworld-clip"
IMPOSSIBLE: dict[str, tuple[Callable[[pa.Table], pa.Table], str]] = {
    "more matched than there are": (
        lambda t: replaced(t, "edge_matched_predicted_1px", t["edge_predicted"][0].as_py() + 1, 0),
        r"edge_matched_predicted_1px \d+, more than its edge_predicted \d+ in row 'model', item .*, sample 0",
    ),
    "a union below the intersection": (
        lambda t: replaced(t, "mask_union@sketchworld-segmenter", 0, 0),
        r"mask_intersection@sketchworld-segmenter \d+, more than its mask_union@sketchworld-segmenter 0",
    ),
    "a negative count": (
        lambda t: replaced(t, "edge_target", -5, 0),
        "edge_target -5, no number of 0 to 4096 pixels",
    ),
    "more pixels than a picture has": (
        lambda t: replaced(t, "contour_predicted", 4097, 0),
        "contour_predicted 4097, no number of 0 to 4096 pixels",
    ),
    "an infinite similarity": (lambda t: replaced(t, SIMILARITY, math.inf), "inf, no number of -1 to 1"),
    "a similarity that is no number": (lambda t: replaced(t, SIMILARITY, math.nan), "nan, no number of -1"),
    "a similarity beyond a cosine": (lambda t: replaced(t, SIMILARITY, 5.0), "5, no number of -1 to 1"),
    "a similarity left out": (lambda t: replaced(t, SIMILARITY, None), f"{SIMILARITY} null in row"),
    "a count left out": (lambda t: replaced(t, "edge_predicted", None), "edge_predicted null in row"),
    "a distance below zero": (lambda t: replaced(t, "chamfer_px", -1.0), "chamfer_px -1, no number of 0"),
    "a class unread": (
        lambda t: replaced(t, "class_read@sketchworld-classifier", None, find_class(t)),
        "class_read@sketchworld-classifier .*unlike others of its item",
    ),
    "no hash": (lambda t: replaced(t, "png_sha256", "=1", 0), "png_sha256 that is no SHA-256"),
}


def find_class(table: pa.Table) -> int:
    """A line of an item with a class."""
    return next(i for i, name in enumerate(table["class_true"].to_pylist()) if name is not None)


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_numbers_that_no_picture_gives_are_refused(copy: Path, tiny_suite: Suite, name: str) -> None:
    change, message = IMPOSSIBLE[name]
    forge(copy, change)
    with pytest.raises(LepbenchError, match=message):
        verify_record(copy, tiny_suite)


def test_counts_are_found_false_by_the_pictures_without_a_judge(copy: Path, tiny_suite: Suite) -> None:
    def change(table: pa.Table) -> pa.Table:
        for column in ("edge_matched_predicted_0px", "edge_matched_target_0px"):
            total = table[column.replace("matched_", "").removesuffix("_0px")][0].as_py()
            table = replaced(table, column, total, 0)
        return table

    assert recount_samples(copy, tiny_suite, None, ignore_progress) == 60
    forge(copy, change)
    reckon(copy)
    verify_record(copy, tiny_suite)
    with pytest.raises(LepbenchError, match=r"gives edge_matched_.* in row 'model', samples.parquet says"):
        recount_samples(copy, tiny_suite, None, ignore_progress)
