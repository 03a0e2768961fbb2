"""A record as tables: figures of each sample against other implementations, their order, and notebooks."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from scipy.ndimage import distance_transform_edt
from torchmetrics.functional.classification import binary_f1_score, binary_precision, binary_recall

import lepbench
from lepbench.detectors import apply_detector
from lepbench.errors import LepbenchError
from lepbench.evaluation.measures.divided import divide_counts
from lepbench.evaluation.per_sample import sort_samples
from lepbench.evaluation.record import Record
from lepbench.evaluation.sample import FAILED
from lepbench.images import to_tensor

DRAWN = ("model", "unguided", "overlay", "vae", "real")
"""Conditions whose pictures are held against their own item's sketch."""
OF_SETS = {
    "faithful_f1",
    "clip_score@sketchworld-clip",
    "clip_skill@sketchworld-clip",
    "kid@sketchworld-clip",
    "fd@sketchworld-clip",
    "fd_by_index@sketchworld-clip",
}


@pytest.fixture(scope="module")
def samples(run: Record) -> pd.DataFrame:
    return run.samples()


def share_near(found: np.ndarray, wanted: np.ndarray, tolerance: int) -> float:
    """Share of the pixels of one map that have one of the other near; by distance transform."""
    return float((distance_transform_edt(~wanted)[found] <= tolerance).mean())


def test_figures_of_each_sample_are_those_of_a_distance_transform(run: Record, samples: pd.DataFrame) -> None:
    suite = lepbench.load_suite(run.identity.suite)
    for line in samples[samples["row"].isin(DRAWN)].to_dict("records"):
        picture = np.asarray(Image.open(line["picture"]).convert("RGB"))
        edges = apply_detector(run.protocol.detector, to_tensor(picture[None]))[0].numpy()
        sketch = suite[line["item_id"]].sketch
        for tolerance in (0, 1, 2, 3):
            precision, recall = share_near(edges, sketch, tolerance), share_near(sketch, edges, tolerance)
            f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
            for name, expected in (("precision", precision), ("recall", recall), ("f1", f1)):
                assert line[f"edge_{name}_{tolerance}px"] == pytest.approx(expected, abs=1e-12)


def test_without_a_tolerance_they_are_those_of_torchmetrics(run: Record, samples: pd.DataFrame) -> None:
    suite = lepbench.load_suite(run.identity.suite)
    for line in samples[samples["row"] == "model"].to_dict("records"):
        picture = np.asarray(Image.open(line["picture"]).convert("RGB"))
        edges = apply_detector(run.protocol.detector, to_tensor(picture[None]))[0].int()
        sketch = torch.tensor(suite[line["item_id"]].sketch).int()
        for kind in ("edge", "paired"):
            assert line[f"{kind}_f1_0px"] == pytest.approx(float(binary_f1_score(edges, sketch)), abs=1e-6)
        assert line["edge_precision_0px"] == pytest.approx(float(binary_precision(edges, sketch)), abs=1e-6)
        assert line["edge_recall_0px"] == pytest.approx(float(binary_recall(edges, sketch)), abs=1e-6)


def test_means_over_samples_are_the_figures_of_the_record(run: Record, samples: pd.DataFrame) -> None:
    for condition, figures in run.rows.items():
        means = samples[samples["row"] == condition].mean(numeric_only=True)
        for name, figure in figures.items():
            if name in OF_SETS:
                assert name not in samples
            elif figure.value is None:
                assert math.isnan(means[name])
            else:
                assert means[name] == pytest.approx(figure.value, abs=1e-6), (condition, name)


def test_samples_that_failed_have_no_figures(run: Record) -> None:
    frame = pd.read_parquet(run.require_folder() / "samples.parquet")
    counted = list(frame.columns)[7:]
    frame[counted] = frame[counted].astype(object)
    frame.loc[0, counted] = None
    frame.loc[0, "status"] = FAILED
    divided = divide_counts(frame)
    figures = [name for name in divided if name not in frame]
    assert divided[figures].loc[0].isna().all()
    assert divided.loc[1:, "edge_f1_1px"].notna().all()
    assert 0 not in sort_samples(divided, "edge_f1_1px", 100, str(divided.loc[0, "row"])).index


@pytest.mark.parametrize(
    "metric",
    ["edge_f1_1px", "mask_iou@sketchworld-segmenter", "chamfer_px", "clip_similarity@sketchworld-clip"],
)
def test_the_worst_come_first(metric: str, run: Record, samples: pd.DataFrame) -> None:
    known = samples[samples["row"] == "model"]
    ordered = sorted(known[metric], reverse=metric == "chamfer_px")
    assert run.worst(metric)[metric].tolist() == ordered
    assert run.worst(metric, n=2)[metric].tolist() == ordered[:2]
    assert set(run.worst(metric, 1, condition="real")["row"]) == {"real"}


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("f1", "samples have no figure 'f1'; choose one of: edge_f1_0px, edge_f1_1px"),
        ("edge_f1_1pxx", "did you mean 'edge_f1_1px'?"),
        ("chamfer", "choose one of: chamfer_px"),
        ("faithful_f1", "'faithful_f1' is of all samples together; choose one of samples(): edge_f1_1px"),
        ("xyzzy", "samples have no figure 'xyzzy'; choose one of samples(): edge_f1_1px"),
        ("item_id", "samples have no figure 'item_id'"),
    ],
)
def test_an_unknown_figure_suggests(metric: str, message: str, run: Record) -> None:
    with pytest.raises(LepbenchError) as caught:
        run.worst(metric)
    assert message in str(caught.value)


def test_an_unknown_condition_or_no_number_is_one_line(run: Record) -> None:
    with pytest.raises(LepbenchError, match="no condition 'modle'; did you mean 'model'"):
        run.worst("edge_f1_1px", condition="modle")
    with pytest.raises(LepbenchError, match="n=0 asks for no sample; give 1 or more"):
        run.worst("edge_f1_1px", 0)


def test_a_frame_has_every_figure(run: Record) -> None:
    frame = run.to_frame(intervals=True)
    assert list(frame.index) == list(run.rows)
    for condition, figures in run.rows.items():
        for name, figure in figures.items():
            for part, column in (("value", name), ("low", f"{name}_low"), ("high", f"{name}_high")):
                stated = getattr(figure, part)
                found = float(frame[column][condition])
                assert math.isnan(found) if stated is None else found == stated
    assert list(run.to_frame()) == list(run.rows["model"])


def test_a_notebook_shows_the_main_figures_and_escapes_names(run: Record) -> None:
    text = run._repr_html_()
    assert text.count("<table") == 1
    assert "tiny on sketchworld-edges-v1, 3 samples" in text
    assert "edge F1 1px" in text
    assert "Frechet" not in text  # of 512 samples and more
    assert f"{run.rows['model']['edge_f1_1px'].value:.3f}" in text
    loud = run.model_copy(
        update={
            "identity": run.identity.model_copy(update={"suite": "<script>alert(1)</script>"}),
            "rows": {"<b>model</b>": run.rows["model"]},
        }
    )
    assert "<script>" not in loud._repr_html_()
    assert "<b>model" not in loud._repr_html_()


def test_a_record_is_one_line_at_the_prompt(run: Record) -> None:
    assert repr(run) == str(run)
    assert repr(run).startswith("Record('tiny' on 'sketchworld-edges-v1', 3 samples")
    assert "\n" not in repr(run)


def test_a_record_of_no_folder_says_how_to_read_one(run: Record) -> None:
    loose = Record.model_validate(run.model_dump(mode="json"))
    with pytest.raises(LepbenchError, match=r"read it with load_record\(folder\)"):
        loose.samples()
