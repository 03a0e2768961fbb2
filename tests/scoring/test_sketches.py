"""Pictures against sketches: the figures of a distance transform, whatever the sketch's file and polarity."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from scipy.ndimage import distance_transform_edt
from skimage import data
from tiny_clip import save_clip

from lepbench.cli.app import main
from lepbench.detectors import Canny, Sobel
from lepbench.errors import LepbenchError
from lepbench.images import to_tensor
from lepbench.judges import ClipJudgeConfig, Judges, SketchworldClipConfig, load_judge
from lepbench.metrics.clip import cosine
from lepbench.progress import ignore_progress
from lepbench.scoring.matching import score_similarity
from lepbench.scoring.sketch_files import place_strokes, read_sketch_at
from lepbench.scoring.sketches import SketchRules, SketchScores, find_sketches, score_sketches

NAMES = ("chelsea", "coffee")
SIDE = 96
DETECTOR = Canny(low=0.3, high=0.6)
SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">
<path d="M20 20 H80" fill="none" stroke="black"/><path d="M20 70 H40" fill="none" stroke="black"/></svg>"""


def edges_of(picture: Image.Image) -> np.ndarray:
    return DETECTOR(to_tensor(np.asarray(picture))[None])[0].numpy()


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two pictures each of two photographs, the second shifted, and the photographs' maps as sketches."""
    generated, sketches = tmp_path / "generated", tmp_path / "sketches"
    for folder in (generated, sketches):
        folder.mkdir()
    for name in NAMES:
        picture = Image.fromarray(getattr(data, name)()).resize((SIDE, SIDE + 16), Image.Resampling.BICUBIC)
        picture.save(generated / f"{name}-0.png")
        Image.fromarray(np.roll(np.asarray(picture), 2, axis=1)).save(generated / f"{name}-1.png")
        Image.fromarray(edges_of(picture)).save(sketches / f"{name}.png")
    return generated, sketches


def score(folders: tuple[Path, Path], workers: int = 1, **rules: object) -> SketchScores:
    chosen = SketchRules(**{"detector": DETECTOR, **rules})  # type: ignore[arg-type]
    return score_sketches(find_sketches(*folders), chosen, ignore_progress, workers)


def share_within(these: np.ndarray, others: np.ndarray, distance: float) -> float:
    return float((distance_transform_edt(~others)[these] <= distance).mean())


def test_figures_are_those_of_a_distance_transform(folders: tuple[Path, Path]) -> None:
    scores = score(folders)
    rows = []
    tolerances = {f"{t}px": float(t) for t in range(4)} | {"0.0075d": 0.0075 * np.hypot(SIDE, SIDE + 16)}
    for name in NAMES:
        sketch = np.asarray(Image.open(folders[1] / f"{name}.png"))
        for sample in range(2):
            edges = edges_of(Image.open(folders[0] / f"{name}-{sample}.png"))
            row: dict[str, float] = {}
            for label, distance in tolerances.items():
                precision, recall = (
                    share_within(edges, sketch, distance),
                    share_within(sketch, edges, distance),
                )
                f1 = 2 * precision * recall / (precision + recall)
                row |= {f"edge_precision_{label}": precision, f"edge_recall_{label}": recall}
                row[f"edge_f1_{label}"] = f1
            there, back = distance_transform_edt(~sketch)[edges], distance_transform_edt(~edges)[sketch]
            rows.append(row | {"chamfer_px": (there.mean() + back.mean()) / 2})
    assert set(scores.figures) == set(rows[0])
    for name, figure in scores.figures.items():
        assert figure.value == pytest.approx(np.mean([row[name] for row in rows])), name
        assert figure.low <= figure.value <= figure.high
    assert scores.figures["edge_f1_0px"].value < 0.9 < scores.figures["edge_f1_2px"].value
    assert (scores.sketches, scores.pictures_per_sketch, scores.with_strokes) == (2, 2, 0)


@pytest.mark.slow
def test_several_processes_give_the_same(folders: tuple[Path, Path]) -> None:
    assert score(folders, workers=2) == score(folders)


def test_dark_lines_are_read_as_light_ones(folders: tuple[Path, Path]) -> None:
    before = score(folders)
    path = folders[1] / "coffee.png"
    Image.fromarray(~np.asarray(Image.open(path))).convert("L").save(
        folders[1] / "coffee.webp", lossless=True
    )
    path.unlink()
    after = score(folders)
    assert after.figures == before.figures
    assert before.polarities == {"white on black": 2}
    assert after.polarities == {"black on white": 1, "white on black": 1}


def draw_bars(folder: Path) -> tuple[Path, Path]:
    """A grey picture of one bar of two that its SVG has, twice as wide as high."""
    for name in ("generated", "sketches"):
        (folder / name).mkdir()
    pixels = np.full((100, 200, 3), 128, np.uint8)
    pixels[20:, 50:150] = 250
    Image.fromarray(pixels).save(folder / "generated" / "bars.png")
    (folder / "sketches" / "bars.svg").write_text(SVG)
    return folder / "generated", folder / "sketches"


def test_strokes_of_an_svg_are_found_one_by_one(tmp_path: Path) -> None:
    folders = draw_bars(tmp_path)
    scores = score(folders)
    edges = edges_of(Image.open(folders[0] / "bars.png"))
    reach = distance_transform_edt(~edges)
    long, short = np.zeros(edges.shape, bool), np.zeros(edges.shape, bool)
    # A square document stands in the middle of a wide picture.
    long[20, 70:131], short[70, 70:91] = True, True
    expected = np.mean([(reach[stroke] <= 2).mean() for stroke in (long, short)])
    assert scores.figures["stroke_recall_2px"].value == pytest.approx(expected, abs=0.02)
    assert scores.figures["strokes_found_2px"].value == 0.5
    assert scores.with_strokes == 1
    assert scores.polarities == {"lines of an SVG document": 1}
    fitted = read_sketch_at(folders[1] / "bars.svg", (100, 200))
    assert fitted.numbers is not None
    assert sorted(np.unique(fitted.numbers)) == [0, 1, 2]
    assert not (fitted.strokes & ~(distance_transform_edt(~(long | short)) <= 1.5)).any()


def test_a_document_fills_its_picture_whole() -> None:
    corners = (np.array([[0.0, 0.0], [40.0, 20.0]]),)
    (line,) = place_strokes(corners, (40, 20), (50, 60))
    assert np.allclose(line, [[0, 10], [60, 40]])


def test_thick_strokes_are_thinned_unless_they_are_kept(folders: tuple[Path, Path]) -> None:
    strokes = np.zeros((SIDE + 16, SIDE), bool)
    strokes[40:56, 8:88] = True
    Image.fromarray(~strokes).save(folders[1] / "coffee.png")
    thin, thick = score(folders), score(folders, thin=False)
    assert (thin.thinned, thick.thinned) == (1, 0)
    assert thin.figures["chamfer_px"] != thick.figures["chamfer_px"]


def test_similarity_is_the_judge_s(folders: tuple[Path, Path], tmp_path: Path) -> None:
    judge = ClipJudgeConfig(label="tiny", model=str(save_clip(tmp_path / "clip")))
    prompts = find_sketches(*folders)
    found = score_similarity(prompts, [judge], device="cpu", progress=ignore_progress)
    loaded = Judges.of({"tiny": load_judge(judge)})["tiny"].captions
    assert loaded is not None
    cosines = []
    for name in NAMES:
        sketch = np.asarray(Image.open(folders[1] / f"{name}.png"))
        drawing = to_tensor(np.repeat((~sketch * 255).astype(np.uint8)[..., None], 3, axis=-1))
        for sample in range(2):
            picture = to_tensor(np.array(Image.open(folders[0] / f"{name}-{sample}.png")))
            pair = (loaded.image_embedding(one[None]) for one in (picture, drawing))
            cosines.append(float(cosine(*pair)))
    assert found["sketch_similarity@tiny"].value == pytest.approx(np.mean(cosines), abs=1e-6)
    with pytest.raises(LepbenchError, match="no judge compares sketches with pictures"):
        score_similarity(prompts, [SketchworldClipConfig()], device="cpu", progress=ignore_progress)


def test_what_cannot_be_read_is_one_line(folders: tuple[Path, Path]) -> None:
    Image.new("L", (SIDE, SIDE), 255).save(folders[1] / "coffee.png")
    with pytest.raises(LepbenchError, match=r"coffee\.png holds no strokes"):
        score(folders)
    (folders[1] / "coffee.png").unlink()
    with pytest.raises(LepbenchError, match="belong to no reference"):
        score(folders)
    (folders[1] / "coffee.svg").write_text("<svg")
    with pytest.raises(LepbenchError, match=r"coffee\.svg cannot be read as a sketch"):
        score(folders)


def test_a_picture_too_small_for_edges_is_one_line(folders: tuple[Path, Path]) -> None:
    first = sorted(folders[0].rglob("*.png"))[0]
    Image.new("RGB", (1, 1)).save(first)
    with pytest.raises(LepbenchError, match=rf"{first.name} is 1x1 px; edges need pictures of 16 px"):
        score(folders)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["lepbench", "score", "sketches", *(str(one) for one in arguments)])
    main()


@pytest.mark.slow
def test_the_verb_prints_all_and_says_how_sketches_were_read(
    folders: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    judges = tmp_path / "judges.yaml"
    clip = {"name": "clip", "label": "tiny", "model": str(save_clip(tmp_path / "clip"))}
    judges.write_text(yaml.safe_dump([clip]))
    common = ("--generated", folders[0], "--sketches", folders[1], "--workers", 1)
    run(monkeypatch, *common, "--judges", judges, "--json")
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert list(found["figures"]) == [*score(folders).figures, "sketch_similarity@tiny"]
    assert found["figures"]["edge_f1_1px"] == score(folders).figures["edge_f1_1px"]._asdict()
    assert found["detector"] == "canny@1(low=0.3,high=0.6)"
    assert "2 of 2 sketches: white on black" in err
    run(monkeypatch, *common, "--protocol", "lepbench-photographs-v1")
    assert capsys.readouterr().out.splitlines()[-1].endswith("by canny@1(low=0.3,high=0.6)")
    run(monkeypatch, *common, "--detector", "sobel", "--detector-set", "threshold=0.2", "--json")
    by_sobel = json.loads(capsys.readouterr().out)["figures"]
    assert by_sobel["edge_f1_1px"]["value"] == pytest.approx(
        score(folders, detector=Sobel(threshold=0.2)).figures["edge_f1_1px"].value
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--protocol", "lepbench-edges-v1"), "takes the detector of a suite; name one with --detector"),
        (("--protocol", "no-such"), "unknown protocol 'no-such'"),
        (("--protocol", "lepbench-photographs-v1", "--detector", "sobel"), "name detectors both; give one"),
        (("--detector", "cany"), "unknown detector 'cany'; did you mean 'canny'?"),
    ],
    ids=["suite's", "unknown", "two", "misspelt"],
)
def test_a_detector_that_cannot_be_is_one_line(
    options: tuple[str, ...],
    message: str,
    folders: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        run(monkeypatch, "--generated", folders[0], "--sketches", folders[1], *options)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
