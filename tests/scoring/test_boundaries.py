"""Folders in BSDS's formats, written here, through the command."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from lepbench.cli.app import main
from lepbench.errors import LepbenchError
from lepbench.metrics.boundary import boundary_counts, boundary_scores, levels
from lepbench.scoring.boundaries import Rules, find_pairs, read_annotations, read_edges, score_boundaries


def quiet(stage: str, done: int, total: int) -> None:
    pass


def save_people(path: Path, *maps: np.ndarray) -> None:
    """BSDS's layout: a 1 x A cell array of structures."""
    cells = np.empty((1, len(maps)), dtype=object)
    for number, drawn in enumerate(maps):
        cells[0, number] = {
            "Segmentation": np.zeros(drawn.shape, np.uint16),
            "Boundaries": drawn.astype(np.uint8),
        }
    savemat(path, {"groundTruth": cells})


def doubled(soft: np.ndarray) -> np.ndarray:
    """A `ucm2` whose pixels are `soft`, with other values between them."""
    matrix = np.ones((2 * soft.shape[0] + 1, 2 * soft.shape[1] + 1))
    matrix[2::2, 2::2] = soft
    return matrix


@pytest.fixture
def corpus(tmp_path: Path) -> tuple[Path, Path, list[np.ndarray], list[list[np.ndarray]]]:
    random = np.random.default_rng(0)
    predictions, annotations = tmp_path / "predictions", tmp_path / "annotations"
    predictions.mkdir()
    annotations.mkdir()
    soft, people = [], []
    for name in "abc":
        edges = random.integers(0, 256, (24, 32)) * (random.random((24, 32)) < 0.2)
        drawn = [random.random((24, 32)) < 0.1 for _ in range(2)]
        Image.fromarray(edges.astype(np.uint8)).save(predictions / f"{name}.png")
        save_people(annotations / f"{name}.mat", *drawn)
        soft.append(edges / 255)
        people.append(drawn)
    return predictions, annotations, soft, people


@pytest.mark.slow
def test_folder_scores_equal_those_of_the_arrays(
    corpus: tuple[Path, Path, list[np.ndarray], list[list[np.ndarray]]],
) -> None:
    predictions, annotations, soft, people = corpus
    counts = [boundary_counts(s, np.stack(p), levels(9), 0.05) for s, p in zip(soft, people, strict=True)]
    stacked = type(counts[0])(*(np.stack(column) for column in zip(*counts, strict=True)))
    expected = boundary_scores(stacked, levels(9))
    found = [score_boundaries(predictions, annotations, Rules(9, 0.05), quiet, workers) for workers in (1, 2)]
    for scores in found:
        assert scores.ods == expected.ods
        assert scores.ois[1:] == expected.ois[1:]
        assert scores.ap == expected.ap


def test_command_prints_the_published_object(
    corpus: tuple[Path, Path, list[np.ndarray], list[list[np.ndarray]]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    predictions, annotations, _, _ = corpus
    arguments = ["--predictions", predictions, "--annotations", annotations, "--thresholds", 5, "--json"]
    monkeypatch.setattr(sys, "argv", ["lepbench", "score", "boundaries", *map(str, arguments)])
    main()
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == {"ods", "ois", "ap", "images"}
    assert set(printed["ods"]) == {"threshold", "recall", "precision", "f1"}
    assert set(printed["ois"]) == {"recall", "precision", "f1"}
    assert printed["images"] == 3


def test_suppression_comes_before_the_threshold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A soft line beside another merges with it at low thresholds, unless its maxima alone are kept."""
    columns = np.arange(60)
    profile = np.maximum(*(np.exp(-((columns - at) ** 2) / 18) for at in (25, 31)))
    drawn = np.zeros((60, 60), bool)
    drawn[:, [25, 31]] = True
    for name, image in (("predictions", np.tile(profile, (60, 1)) * 255), ("annotations", drawn * 255)):
        (tmp_path / name).mkdir()
        Image.fromarray(image.astype(np.uint8)).save(tmp_path / name / "a.png")
    scores = []
    for extra in ([], ["--nms"]):
        arguments = ["--predictions", tmp_path / "predictions", "--annotations", tmp_path / "annotations"]
        words = map(str, [*arguments, "--thresholds", 1, "--json", *extra])
        monkeypatch.setattr(sys, "argv", ["lepbench", "score", "boundaries", *words])
        main()
        scores.append(json.loads(capsys.readouterr().out))
    assert scores[0]["ods"]["f1"] < 0.1 < 0.9 < scores[1]["ods"]["f1"]
    assert "nms" not in scores[0]
    assert scores[1]["nms"] is True


def test_command_fails_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--predictions", tmp_path / "none", "--annotations", tmp_path]
    monkeypatch.setattr(sys, "argv", ["lepbench", "score", "boundaries", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert capsys.readouterr().err.splitlines() == [
        f"lepbench: no such folder: {tmp_path / 'none'}; check the path"
    ]


def test_ultrametric_maps_are_read_at_every_second_pixel(tmp_path: Path) -> None:
    soft = np.random.default_rng(1).random((5, 7))
    savemat(tmp_path / "a.mat", {"ucm2": doubled(soft)})
    savemat(tmp_path / "b.mat", {"ucm2": np.round(doubled(soft) * 255).astype(np.uint8)})
    assert np.array_equal(read_edges(tmp_path / "a.mat"), soft)
    assert np.allclose(read_edges(tmp_path / "b.mat"), soft, atol=0.5 / 255)


def test_sixteen_bit_maps_keep_their_depth(tmp_path: Path) -> None:
    strength = np.array([[0, 1, 32768, 65535]], dtype=np.uint16)
    Image.fromarray(strength).save(tmp_path / "a.png")
    assert np.allclose(read_edges(tmp_path / "a.png"), strength / 65535)


def test_a_png_is_one_person_s_annotation(tmp_path: Path) -> None:
    drawn = np.eye(6, dtype=bool)
    Image.fromarray(drawn).save(tmp_path / "a.png")
    assert np.array_equal(read_annotations(tmp_path / "a.png"), drawn[None])


def test_every_fault_names_its_file(
    corpus: tuple[Path, Path, list[np.ndarray], list[list[np.ndarray]]], tmp_path: Path
) -> None:
    predictions, annotations, _, _ = corpus
    (predictions / "b.png").unlink()
    with pytest.raises(LepbenchError, match="1 of 3 annotated images, first 'b'"):
        find_pairs(predictions, annotations)
    (predictions / "b.png").write_bytes((predictions / "a.png").read_bytes()[:60])
    with pytest.raises(LepbenchError, match=r"b\.png cannot be decoded"):
        score_boundaries(predictions, annotations, Rules(3), quiet, 1)
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(predictions / "b.png")
    with pytest.raises(LepbenchError, match=r"b\.png is 5x4 px and .*b\.mat 32x24"):
        score_boundaries(predictions, annotations, Rules(3), quiet, 1)
    savemat(tmp_path / "c.mat", {"other": np.zeros(3)})
    with pytest.raises(LepbenchError, match=r"c\.mat has no variable 'ucm2'"):
        read_edges(tmp_path / "c.mat")
    savemat(tmp_path / "c.mat", {"ucm2": 3 * np.ones((5, 5))})
    with pytest.raises(LepbenchError, match="values run from 3 to 3"):
        read_edges(tmp_path / "c.mat")
    savemat(tmp_path / "c.mat", {"groundTruth": np.zeros((2, 2))})
    with pytest.raises(LepbenchError, match="holds no boundaries"):
        read_annotations(tmp_path / "c.mat")
    (tmp_path / "c.mat").write_bytes(b"not MATLAB")
    with pytest.raises(LepbenchError, match=r"c\.mat cannot be read"):
        read_annotations(tmp_path / "c.mat")


def test_a_name_in_two_formats_is_refused(
    corpus: tuple[Path, Path, list[np.ndarray], list[list[np.ndarray]]],
) -> None:
    predictions, annotations, soft, _ = corpus
    savemat(predictions / "a.mat", {"ucm2": doubled(soft[0])})
    with pytest.raises(LepbenchError, match=r"'a' as \.png and as \.mat"):
        find_pairs(predictions, annotations)
