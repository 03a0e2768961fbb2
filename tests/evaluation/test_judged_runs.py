"""Figures by judges in a run equal those of the libraries on the pictures that it stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from judged_run import SAMPLES, Run, run
from peer_figures import compare_pictures, compute_clean_fid, load_clip, load_layers
from PIL import Image
from scipy.linalg import sqrtm

from lepbench.evaluation.features import read_features
from lepbench.evaluation.measures.base import ConditionSamples
from lepbench.evaluation.measures.distances import measure_distances
from lepbench.images import Pixels
from lepbench.judges import JudgeStatistics

__all__ = ["run"]

Matrix = np.ndarray


pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.load. is deprecated:FutureWarning")


@pytest.mark.parametrize("row", ["model", "real", "wrong_sketch"])
def test_similarities_of_samples_are_transformers(run: Run, row: str) -> None:
    frame = pd.read_parquet(run.folder / "samples.parquet")
    frame = frame[frame["row"] == row]
    items = [run.suite[name] for name in frame["item_id"]]
    pixels = run.pictures(row)
    own = compare_pictures(run.root / "clip", pixels, [item.prompt for item in items]).diagonal()
    other = compare_pictures(
        run.root / "clip", pixels, [run.suite.successor(item).prompt for item in items]
    ).diagonal()
    assert np.allclose(frame["clip_similarity@openai-b16"], own, rtol=0, atol=1e-6)
    assert np.allclose(frame["clip_wrong_similarity@openai-b16"], other, rtol=0, atol=1e-6)
    assert run.figure("clip_score@openai-b16", row) == pytest.approx(
        float(np.maximum(100 * own.numpy().astype(np.float64), 0).mean()), abs=1e-4
    )


@pytest.mark.parametrize("row", ["model", "real"])
def test_classes_are_those_of_the_largest_logit(run: Run, row: str) -> None:
    frame = pd.read_parquet(run.folder / "samples.parquet")
    frame = frame[frame["row"] == row]
    classes = run.suite.classes
    cosines = compare_pictures(
        run.root / "clip", run.pictures(row), [f"a photo of a {name}" for name in classes]
    )
    known = [classes[best] for best in cosines.argmax(dim=1).tolist()]
    assert len(set(known)) > 1
    assert frame["class_read@openai-b16"].tolist() == known
    right = [name == run.suite[item].label for name, item in zip(known, frame["item_id"], strict=True)]
    assert run.figure("class_accuracy@openai-b16", row) == pytest.approx(np.mean(right))


@pytest.mark.usefixtures("sqrtm_of_clean_fid")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fid_is_clean_fid_s_on_the_stored_folders(run: Run, tmp_path: Path) -> None:
    layers, real = load_layers(run.root / "inception.pt"), run.folder / "samples" / "real"

    def compute(folder: Path) -> float:
        return compute_clean_fid(folder, real, layers)

    assert run.figure("fid@inception") == pytest.approx(compute(run.folder / "samples" / "model"), rel=1e-6)
    groups = []
    for index in range(SAMPLES):
        (tmp_path / str(index)).mkdir()
        for path in (run.folder / "samples" / "model").glob(f"*-{index}.png"):
            (tmp_path / str(index) / path.name).symlink_to(path)
        groups.append(compute(tmp_path / str(index)))
    assert run.figure("fid_by_index@inception") == pytest.approx(np.mean(groups), rel=1e-6)
    assert run.figure("fid_by_index@inception") != pytest.approx(run.figure("fid@inception"), rel=1e-3)


def embed_inception(run: Run, pixels: list[Pixels]) -> Matrix:
    from cleanfid.resize import build_resizer

    resize = build_resizer("clean")
    return load_layers(run.root / "inception.pt")(
        torch.stack([torch.from_numpy(resize(one)).movedim(-1, 0) for one in pixels])
    ).numpy()


def embed_clip(run: Run, pixels: list[Pixels]) -> Matrix:
    model, prepare = load_clip(run.root / "large")
    with torch.no_grad():
        values = prepare(images=[Image.fromarray(one) for one in pixels], return_tensors="pt")["pixel_values"]
        return np.asarray(model.get_image_features(pixel_values=values).pooler_output)


def embed_dinov2(run: Run, pixels: list[Pixels]) -> Matrix:
    from cleanfid.resize import make_resizer
    from transformers import Dinov2Model

    resize = make_resizer("PIL", False, "bicubic", (56, 56))
    values = np.stack([resize(one) for one in pixels]) / 255
    values = (values - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    with torch.no_grad():
        batch = torch.from_numpy(values.astype(np.float32)).movedim(-1, 1)
        model = Dinov2Model.from_pretrained(run.root / "dinov2").eval()
        return np.asarray(model(batch).last_hidden_state[:, 0])


EMBEDDINGS = {"inception": embed_inception, "dinov2-l14": embed_dinov2, "openai-l14-336": embed_clip}


def frechet(x: Matrix, y: Matrix) -> float:
    """|m1 - m2|^2 + tr(A + B - 2 (A B)^(1/2)), the root by scipy."""
    a, b = (np.cov(v.astype(np.float64), rowvar=False) for v in (x, y))
    gap = x.mean(axis=0, dtype=np.float64) - y.mean(axis=0, dtype=np.float64)
    return float(gap @ gap + np.trace(a) + np.trace(b) - 2 * np.trace(sqrtm(a @ b)).real)


def kid(x: Matrix, y: Matrix, items: list[str]) -> float:
    """The unbiased MMD under (x.y / D + 1)^3, pairs of one item left out, as written in the paper."""

    def kernel(a: Matrix, b: Matrix) -> float:
        return float((a.astype(np.float64) @ b.astype(np.float64) / len(a) + 1) ** 3)

    own = [
        kernel(a, b) for a, i in zip(x, items, strict=True) for b, j in zip(x, items, strict=True) if i != j
    ]
    known = [kernel(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j]
    return float(np.mean(own) + np.mean(known) - 2 * np.mean([[kernel(a, b) for b in y] for a in x]))


def cmmd(x: Matrix, y: Matrix) -> float:
    """1000 times the MMD of unit features, sigma 10, every pair counted, as the authors' code has it."""
    x, y = (v.astype(np.float64) / np.linalg.norm(v, axis=1, keepdims=True) for v in (x, y))

    def mean(a: Matrix, b: Matrix) -> float:
        squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2 * a @ b.T
        return float(np.exp(-squares / (2 * 10**2)).mean())

    return 1000 * (mean(x, x) + mean(y, y) - 2 * mean(x, y))


@pytest.mark.parametrize("label", sorted(EMBEDDINGS))
def test_distances_of_sets_are_the_formulas_on_the_libraries_features(run: Run, label: str) -> None:
    embed, name = EMBEDDINGS[label], "fid" if label == "inception" else "fd"
    real, drawn = embed(run, run.pictures("real")), embed(run, run.pictures("model"))
    frame = run.record.samples()
    items = frame[frame["row"] == "model"]["item_id"].tolist()
    assert run.figure(f"{name}@{label}") == pytest.approx(frechet(drawn, real), rel=1e-6)
    each = [frechet(embed(run, run.pictures("model", index)), real) for index in range(SAMPLES)]
    assert run.figure(f"{name}_by_index@{label}") == pytest.approx(np.mean(each), rel=1e-6)
    assert run.figure(f"kid@{label}") == pytest.approx(kid(drawn, real, items), rel=1e-6, abs=1e-6)
    if label == "openai-l14-336":
        assert run.figure(f"cmmd@{label}") == pytest.approx(cmmd(drawn, real), rel=1e-6, abs=1e-6)
    assert (f"cmmd@{label}" in run.record.rows["model"]) == (label == "openai-l14-336")


@pytest.mark.parametrize("label", sorted(EMBEDDINGS))
def test_neighbourhoods_and_spread_are_the_formulas_on_the_libraries_features(run: Run, label: str) -> None:
    embed, k = EMBEDDINGS[label], 5
    real = embed(run, run.pictures("real")).astype(np.float64)
    first, second = (embed(run, run.pictures("model", index)).astype(np.float64) for index in range(SAMPLES))
    drawn = np.concatenate([first, second])
    radii = np.sort(np.linalg.norm(real[:, None] - real[None], axis=2), axis=1)[:, k]
    inside = np.linalg.norm(real[:, None] - drawn[None], axis=2) < radii[:, None]
    assert run.figure(f"density@{label}") == pytest.approx(inside.sum(axis=0).mean() / k, rel=1e-6)
    assert run.figure(f"coverage@{label}") == pytest.approx(inside.any(axis=1).mean(), rel=1e-6)
    cosine = (first * second).sum(axis=1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)
    assert run.figure(f"diversity@{label}") == pytest.approx(np.mean(1 - cosine), rel=1e-6, abs=1e-6)
    shares = np.stack([1 + cosine, 1 - cosine]) / 2
    vendi = np.exp(-(shares * np.log(shares)).sum(axis=0)).mean()
    assert run.figure(f"vendi@{label}") == pytest.approx(vendi, rel=1e-6)


@pytest.mark.parametrize("label", sorted(EMBEDDINGS))
def test_distances_of_one_sample_an_item_are_torch_fidelity_s_and_torchmetrics_s(
    run: Run, label: str
) -> None:
    from torch_fidelity.metric_fid import fid_statistics_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torchmetrics.image.fid import _compute_fid
    from torchmetrics.image.kid import poly_mmd

    real, drawn = (EMBEDDINGS[label](run, run.pictures(row, 0)) for row in ("real", "model"))
    judge = next(one for one in run.record.protocol.judges if one.label == label)
    features = read_features(run.folder, run.record.features_sha256)
    # Of the samples table the first half are the first samples of all items.
    frame = run.record.samples().query("row == 'model'")[: len(drawn)]
    assert set(frame["sample_index"]) == {0}
    known = JudgeStatistics(features["real"][label])
    row = ConditionSamples(frame, frame, run.record.protocol)
    found = measure_distances(features["model"][label][: len(drawn)], known, row, judge)
    sets = [v.astype(np.float64) for v in (drawn, real)]
    moments = [(v.mean(axis=0), np.cov(v, rowvar=False)) for v in sets]
    whole = fid_statistics_to_metric(*({"mu": m, "sigma": c} for m, c in moments), verbose=False)
    assert found[judge.frechet].value == pytest.approx(whole["frechet_inception_distance"], rel=1e-6)
    tensors = [torch.from_numpy(part) for moment in moments for part in moment]
    assert found[judge.frechet].value == pytest.approx(float(_compute_fid(*tensors)), rel=1e-6)
    doubles = [torch.from_numpy(v) for v in sets]
    whole = kid_features_to_metric(*doubles, kid_subsets=1, kid_subset_size=len(drawn), verbose=False)
    kids = [whole["kernel_inception_distance_mean"], float(poly_mmd(doubles[0], doubles[1]))]
    assert kids == pytest.approx([found["kid"].value] * 2, rel=1e-6, abs=1e-6)
