"""The ControlNet++ protocol against a plain computation with kornia's Canny and torchmetrics."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kornia.filters import canny
from PIL import Image
from scipy.ndimage import distance_transform_edt
from torchmetrics.classification import BinaryF1Score, BinaryPrecision, BinaryRecall
from torchmetrics.image import MultiScaleStructuralSimilarityIndexMeasure

from lepbench.cli.app import main
from lepbench.detectors import Canny
from lepbench.errors import LepbenchError
from lepbench.scoring.edges import score_edges
from lepbench.scoring.prompts import find_prompts
from lepbench.scoring.protocols import PROTOCOLS, BinaryProtocol

CANNY = PROTOCOLS.get("controlnetpp-canny-v1")
SMALL = BinaryProtocol(name="small", detector=Canny(), size=96)
HED = PROTOCOLS.get("controlnetpp-hed-v1")
PHOTOS = Path(skimage.__file__).parent / "data"


def quiet(stage: str, done: int, total: int) -> None:
    pass


def photo(name: str, size: int) -> np.ndarray:
    return np.asarray(Image.open(PHOTOS / f"{name}.png").convert("RGB").resize((size, size)))


def noisy(pixels: np.ndarray, seed: int, deviation: float = 6) -> Image.Image:
    noise = deviation * np.random.default_rng(seed).standard_normal(pixels.shape)
    return Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))


def layout(root: Path, size: int, pictures: int, names: tuple[str, ...]) -> tuple[Path, Path]:
    """Photos as they come as references, noisy ones of the protocol's size as pictures."""
    generated, reference = root / "generated", root / "reference"
    generated.mkdir()
    reference.mkdir()
    for name in names:
        Image.open(PHOTOS / f"{name}.png").convert("RGB").save(reference / f"{name}.png")
        for number in range(pictures):
            noisy(photo(name, size), number).save(generated / f"{name}-{number}.png")
    return generated, reference


def kornia_map(path: Path, size: int) -> torch.Tensor:
    picture = Image.open(path).convert("RGB").resize((size, size), Image.Resampling.BICUBIC)
    return canny(torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 255.0, 0.1, 0.2)[1][0, 0]


def plain(generated: Path, reference: Path, size: int, pictures: int) -> dict[str, float]:
    """The published computation, written anew: one call a prompt on all its pixels, then the mean."""
    figures: dict[str, list[float]] = {"f1": [], "precision": [], "recall": []}
    for path in sorted(reference.iterdir()):
        target = kornia_map(path, size).int().repeat(pictures, 1, 1)
        maps = [kornia_map(generated / f"{path.stem}-{n}.png", size) for n in range(pictures)]
        found = torch.stack(maps).int()
        for name, metric in (("f1", BinaryF1Score), ("precision", BinaryPrecision), ("recall", BinaryRecall)):
            figures[name].append(metric()(found.flatten(), target.flatten()).item())
    return {name: float(np.mean(values)) for name, values in figures.items()}


@pytest.mark.slow
def test_strict_figures_at_512_px_are_the_published_computation(tmp_path: Path) -> None:
    folders = layout(tmp_path, 512, 2, ("horse", "phantom"))
    scores = score_edges(*folders, CANNY, quiet, workers=1)
    assert scores.figures.strict is not None
    assert scores.figures.strict._asdict() == pytest.approx(plain(*folders, 512, 2), abs=1e-7)
    assert 0.2 < scores.figures.strict.f1 < 0.99
    assert (scores.unverified, scores.prompts, scores.images_per_prompt) == ("", 2, 2)


def test_an_empty_pair_counts_as_in_torchmetrics(tmp_path: Path) -> None:
    generated, reference = layout(tmp_path, 96, 2, ("coffee",))
    for path in (reference / "grey.png", generated / "grey-0.png", generated / "grey-1.png"):
        Image.new("RGB", (96, 96), (128, 128, 128)).save(path)
    figures = score_edges(generated, reference, SMALL, quiet, workers=1).figures
    assert figures.strict is not None
    assert figures.strict._asdict() == pytest.approx(plain(generated, reference, 96, 2), abs=1e-7)
    assert figures.strict.f1 < 0.5 < figures.tolerant[0].f1_pooled


@pytest.mark.slow
def test_tolerant_figures_are_those_of_a_distance_transform(tmp_path: Path) -> None:
    generated, reference = layout(tmp_path, 96, 3, ("coffee", "chelsea"))
    figures = score_edges(generated, reference, SMALL, quiet, workers=1).figures
    for point in figures.tolerant:
        rows, pooled = [], []
        for path in sorted(reference.iterdir()):
            target = kornia_map(path, 96).numpy() > 0
            hits = np.zeros(4)
            for number in range(3):
                found = kornia_map(generated / f"{path.stem}-{number}.png", 96).numpy() > 0
                near = point.tolerance_px
                counts = np.array(
                    [
                        (found & (distance_transform_edt(~target) <= near)).sum(),
                        found.sum(),
                        (target & (distance_transform_edt(~found) <= near)).sum(),
                        target.sum(),
                    ]
                )
                rows.append(f1_of(counts))
                hits += counts
            pooled.append(f1_of(hits)[0])
        expected = np.mean(rows, axis=0)
        assert (point.f1, point.precision, point.recall) == pytest.approx(tuple(expected))
        assert point.f1_pooled == pytest.approx(np.mean(pooled))
        assert point.low <= point.f1 <= point.high
        assert point.f1_pooled_low <= point.f1_pooled <= point.f1_pooled_high
    assert [point.tolerance_px for point in figures.tolerant] == [0, 1, 2, 3]
    assert figures.strict is not None
    assert figures.tolerant[0].f1_pooled == pytest.approx(figures.strict.f1)


def f1_of(counts: np.ndarray) -> tuple[float, float, float]:
    precision, recall = counts[0] / counts[1], counts[2] / counts[3]
    return 2 * precision * recall / (precision + recall), precision, recall


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), pictures=st.integers(1, 3), share=st.floats(0, 0.5))
def test_given_maps_score_as_in_torchmetrics(
    seed: int, pictures: int, share: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root, random = tmp_path_factory.mktemp("maps"), np.random.default_rng(seed)
    folders = save_maps(root, random.random((3, pictures + 1, 20, 24)) < share)
    expected = []
    for reference in sorted(folders[1].iterdir()):
        maps = [folders[0] / f"{reference.stem}-{n}.png" for n in range(pictures)]
        found = torch.stack([torch.from_numpy(np.array(Image.open(m)) // 255) for m in maps]).flatten()
        target = torch.from_numpy(np.array(Image.open(reference)) // 255).repeat(pictures, 1, 1).flatten()
        expected.append(BinaryF1Score()(found, target).item())
    scores = score_edges(*folders, CANNY, quiet, as_maps=True, workers=1)
    assert scores.figures.strict is not None
    assert scores.figures.strict.f1 == pytest.approx(np.mean(expected), abs=1e-6)
    f1s = [point.f1 for point in scores.figures.tolerant]
    assert f1s == sorted(f1s)


def save_maps(root: Path, maps: np.ndarray) -> tuple[Path, Path]:
    """[P, 1 + S, H, W], bool or in [0, 1], as a folder of generated maps and one of references."""
    folders = root / "generated", root / "reference"
    for folder in folders:
        folder.mkdir()
    for prompt, (reference, *generated) in enumerate((255 * maps.astype(float)).astype(np.uint8)):
        Image.fromarray(reference).save(folders[1] / f"p{prompt}.png")
        for number, one in enumerate(generated):
            Image.fromarray(one).save(folders[0] / f"p{prompt}-{number}.png")
    return folders


def soft_maps(prompts: int, pictures: int, side: int = 180) -> np.ndarray:
    random = np.random.default_rng(0)
    strokes = np.array([photo("coffee", side), photo("horse", side)])[:prompts, :, :, 0] / 255
    noise = (
        random.random((prompts, 1 + pictures, side, side)) * np.linspace(0, 0.5, 1 + pictures)[:, None, None]
    )
    return np.clip(strokes[:, None] * 0.5 + noise, 0, 1)


def test_soft_maps_score_as_in_torchmetrics(tmp_path: Path) -> None:
    folders = save_maps(tmp_path, soft_maps(2, 4))
    similarity, expected = MultiScaleStructuralSimilarityIndexMeasure(data_range=1.0), []
    for reference in sorted(folders[1].iterdir()):
        maps = [np.array(Image.open(folders[0] / f"{reference.stem}-{n}.png")) for n in range(4)]
        target = torch.from_numpy(np.array(Image.open(reference)))[None, None].repeat(4, 1, 1, 1)
        found = torch.from_numpy(np.stack(maps))[:, None]
        expected.append(similarity(found / 255.0, target / 255.0).item())
    scores = score_edges(*folders, HED, quiet, as_maps=True, workers=1)
    assert scores.figures.ms_ssim is not None
    assert scores.figures.ms_ssim.value == pytest.approx(np.mean(expected), abs=1e-6)
    assert scores.figures.ms_ssim.low < scores.figures.ms_ssim.value < scores.figures.ms_ssim.high
    assert scores.figures.strict is None


@pytest.mark.slow
def test_three_layouts_and_any_number_of_workers_give_one_score(tmp_path: Path) -> None:
    numbered, reference = layout(tmp_path, 96, 2, ("coffee", "chelsea"))
    grouped = tmp_path / "grouped"
    for number in range(2):
        (grouped / f"group_{number}").mkdir(parents=True)
        for name in ("coffee", "chelsea"):
            content = (numbered / f"{name}-{number}.png").read_bytes()
            (grouped / f"group_{number}" / f"{name}.png").write_bytes(content)
    expected = score_edges(numbered, reference, SMALL, quiet, workers=1)
    assert score_edges(numbered, reference, SMALL, quiet, workers=2) == expected
    assert score_edges(grouped, reference, SMALL, quiet, workers=1) == expected
    single = score_edges(grouped / "group_0", reference, SMALL, quiet, workers=1)
    assert (single.prompts, single.images_per_prompt) == (2, 1)
    assert single.figures != expected.figures


def test_a_picture_of_another_size_is_resized_and_said(tmp_path: Path) -> None:
    generated, reference = layout(tmp_path, 64, 1, ("coffee",))
    scores = score_edges(generated, reference, SMALL, quiet, workers=1)
    assert scores.unverified == "1 generated pictures had to be resized to the protocol's 96 x 96 px"
    assert scores.figures.strict is not None
    assert scores.figures.strict._asdict() == pytest.approx(plain(generated, reference, 96, 1), abs=1e-7)


def test_the_hash_names_every_rule() -> None:
    assert CANNY.sha256 == BinaryProtocol(name=CANNY.name, detector=Canny(low=0.1, high=0.2)).sha256
    others = [
        CANNY.model_copy(update=change).sha256
        for change in (
            {"size": 256},
            {"resize": "other"},
            {"detector": Canny(low=0.1, high=0.3)},
            {"tolerances": (0, 1)},
            {"pooling": "other"},
            {"aggregation": "other"},
            {"resamples": 10},
        )
    ]
    assert len({CANNY.sha256, *others}) == 1 + len(others)
    with pytest.raises(ValueError, match="first tolerance must be 0"):
        BinaryProtocol(name="x", detector=Canny(), tolerances=(1, 2))


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["lepbench", "score", "edges", *map(str, arguments)])
    main()


def test_command_prints_the_object_and_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    generated, reference = layout(tmp_path, 512, 1, ("horse",))
    arguments = ("--generated", generated, "--reference", reference, "--workers", 1)
    run(monkeypatch, *arguments, "--json")
    printed = json.loads(capsys.readouterr().out)
    assert printed["protocol"] == "controlnetpp-canny-v1"
    assert printed["protocol_sha256"] == CANNY.sha256
    assert printed["verified"] is True
    assert (printed["prompts"], printed["images_per_prompt"]) == (1, 1)
    assert set(printed["strict"]) == {"f1", "precision", "recall"}
    assert {"tolerance_px", "f1", "precision", "recall", "low", "high", "f1_pooled"} <= set(
        printed["tolerant"][3]
    )
    run(monkeypatch, *arguments)
    table = capsys.readouterr().out
    assert f"strict    {printed['strict']['f1']:.4f}" in table
    assert CANNY.sha256 in table
    assert "not verified" not in table


@pytest.mark.parametrize("name", ["controlnetpp-hed-v1", "controlnetpp-lineart-v1"])
def test_command_says_that_given_maps_are_not_verified(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    generated, reference = save_maps(tmp_path, soft_maps(2, 1))
    arguments = ("--generated", generated, "--reference", reference, "--protocol", name, "--workers", 1)
    run(monkeypatch, *arguments, "--maps", "--json")
    printed = json.loads(capsys.readouterr().out)
    assert printed["verified"] is False
    assert "do not ship" in printed["reason"]
    assert set(printed["ms_ssim"]) == {"value", "low", "high"}
    with pytest.raises(SystemExit) as end:
        run(monkeypatch, *arguments)
    assert end.value.code == 2
    assert "make the maps with it and add --maps" in capsys.readouterr().err


def spoil_extra(generated: Path, reference: Path) -> None:
    (reference / "b.png").unlink()


def spoil_missing(generated: Path, reference: Path) -> None:
    (generated / "b-1.png").unlink()


def spoil_none(generated: Path, reference: Path) -> None:
    (reference / "b.png").rename(reference / "c.png")
    for number in range(2):
        (generated / f"b-{number}.png").unlink()


def spoil_text(generated: Path, reference: Path) -> None:
    (generated / "a-1.png").write_bytes(b"no picture")


def spoil_cut(generated: Path, reference: Path) -> None:
    (reference / "a.png").write_bytes((reference / "a.png").read_bytes()[:60])


def spoil_twice(generated: Path, reference: Path) -> None:
    (reference / "a.jpg").write_bytes(b"")


def spoil_empty(generated: Path, reference: Path) -> None:
    for path in generated.iterdir():
        path.unlink()


def spoil_folder(generated: Path, reference: Path) -> None:
    reference.rename(reference.parent / "moved")


def spoil_layouts(generated: Path, reference: Path) -> None:
    (generated / "group_0").mkdir()
    (generated / "b-1.png").rename(generated / "group_0" / "b.png")


def spoil_group(generated: Path, reference: Path) -> None:
    for path in sorted(generated.iterdir()):
        name, number = path.stem.split("-")
        (generated / f"group_{number}").mkdir(exist_ok=True)
        path.rename(generated / f"group_{number}" / f"{name}.png")
    (generated / "group_1" / "a.png").unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_extra, r"2 of 4 generated files belong to no reference, first .*b-0\.png"),
        (spoil_missing, r"has 1 of 2 pictures for 'b', and not 'b-1'"),
        (spoil_none, r"has 0 of 2 pictures for 'c', and not 'c-0'"),
        (spoil_text, r"a-1\.png is not an image"),
        (spoil_cut, r"a\.png cannot be decoded"),
        (spoil_twice, r"has a\.jpg and a\.png; keep one"),
        (spoil_empty, r"generated holds no .*\.png.* file"),
        (spoil_folder, r"no such folder: .*reference"),
        (spoil_layouts, r"keep one of the two layouts"),
        (spoil_group, r"has 1 of 2 pictures for 'a', and not 'group_1/a'"),
    ],
)
def test_every_fault_is_one_line(
    spoil: Callable[[Path, Path], None],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folders = tmp_path / "generated", tmp_path / "reference"
    for folder in folders:
        folder.mkdir()
    for name in "ab":
        for path in (folders[1] / f"{name}.png", *(folders[0] / f"{name}-{n}.png" for n in range(2))):
            Image.new("RGB", (16, 16), (200, 30, 30)).save(path)
    spoil(*folders)
    with pytest.raises(SystemExit) as end:
        run(monkeypatch, "--generated", folders[0], "--reference", folders[1], "--workers", 1)
    assert end.value.code == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lepbench: ")]
    assert len(lines) == 1
    assert re.search(message, lines[0])


def test_maps_that_cannot_be_compared_are_refused(tmp_path: Path) -> None:
    folders = save_maps(tmp_path, np.zeros((1, 2, 200, 200)))
    generated = folders[0] / "p0-0.png"
    Image.new("L", (200, 180)).save(generated)
    with pytest.raises(LepbenchError, match=r"p0-0\.png is 200x180 px and .*p0\.png 200x200; make both"):
        score_edges(*folders, HED, quiet, as_maps=True, workers=1)
    Image.new("L", (100, 100)).save(generated)
    with pytest.raises(LepbenchError, match=r"p0-0\.png cannot be scored: MS-SSIM needs 176 px a side"):
        score_edges(*folders, HED, quiet, as_maps=True, workers=1)
    Image.new("L", (200, 200), 7).save(generated)
    with pytest.raises(LepbenchError, match="its pixels must be 0 or 255"):
        score_edges(*folders, CANNY, quiet, as_maps=True, workers=1)
    Image.fromarray(np.zeros((200, 200), np.uint16)).save(generated)
    with pytest.raises(LepbenchError, match="not grey of 8 bits"):
        score_edges(*folders, HED, quiet, as_maps=True, workers=1)


@pytest.mark.parametrize(
    ("references", "generated", "expected"),
    [
        ("a a-0", "a a-0", {"a": ["a"], "a-0": ["a-0"]}),
        ("a a-0", "a-0 a-1 a-0-0 a-0-1", {"a": ["a-0", "a-1"], "a-0": ["a-0-0", "a-0-1"]}),
        ("1 2", "1-0 2-0", {"1": ["1-0"], "2": ["2-0"]}),
    ],
)
def test_names_that_end_in_numbers_are_told_apart(
    references: str, generated: str, expected: dict[str, list[str]], tmp_path: Path
) -> None:
    for folder, names in (("g", generated), ("r", references)):
        (tmp_path / folder).mkdir()
        for name in names.split():
            (tmp_path / folder / f"{name}.png").touch()
    found = find_prompts(tmp_path / "g", tmp_path / "r")
    assert {one.name: [path.stem for path in one.generated] for one in found} == expected
