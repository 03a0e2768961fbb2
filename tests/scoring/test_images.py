"""Folders of pictures against each other: the figures of clean-fid, torch-fidelity and torchmetrics."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_extractors import weights
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance

from lepbench.cli.app import main
from lepbench.errors import LepbenchError
from lepbench.files import sha256_file
from lepbench.metrics.frechet import FeatureStatistics, frechet_distance
from lepbench.scoring.extractors import Extractor, load_extractor
from lepbench.scoring.features import find_pictures
from lepbench.scoring.images import extract_folder_features, half_size_distance, score_images

__all__ = ["weights"]

Network = Callable[[Tensor], Tensor]


def quiet(stage: str, done: int, total: int) -> None:
    pass


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two sets of noisy pictures of several sizes and formats; the second is darker."""
    random = np.random.default_rng(0)
    root = tmp_path_factory.mktemp("pictures")
    for name, level in (("bright", 160), ("dark", 110)):
        (root / name).mkdir()
        for number in range(40):
            size = int(random.integers(40, 90))
            noise = level + 40 * random.standard_normal((size, size, 3))
            picture = Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8))
            picture.save(root / name / f"{number:02d}.{'png' if number % 2 else 'jpg'}")
    return root / "bright", root / "dark"


@pytest.fixture(scope="module")
def extractor(weights: Path) -> Extractor:
    return load_extractor(f"torchscript:{weights}", sha256_file(weights))


@pytest.fixture(scope="module")
def network(weights: Path) -> Network:
    """What is in the file, for pictures of 299 px in [0, 255], without our code."""
    layers = torch.jit.load(weights).eval().layers

    def run(batch: Tensor) -> Tensor:
        with torch.no_grad():
            return layers((batch - 128) / 128).flatten(1)

    return run


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two sets of PNGs of 299 px, the size at which no library has to resize."""
    random = np.random.default_rng(1)
    root = tmp_path_factory.mktemp("plain")
    for name, level, count in (("bright", 160, 30), ("dark", 110, 36)):
        (root / name).mkdir()
        for number in range(count):
            patches = level + 40 * random.standard_normal((13, 13, 3))
            noise = np.kron(patches, np.ones((23, 23, 1))) + 9 * random.standard_normal((299, 299, 3))
            Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8)).save(root / name / f"{number:02d}.png")
    return root / "bright", root / "dark"


@pytest.fixture(scope="module")
def figure(plain: tuple[Path, Path], extractor: Extractor) -> float:
    return score_images(*plain, extractor, quiet).frechet_distance


@pytest.mark.slow
@pytest.mark.usefixtures("sqrtm_of_clean_fid")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_figure_of_mixed_pictures_is_clean_fid_s(
    folders: tuple[Path, Path], extractor: Extractor, network: Network
) -> None:
    from cleanfid import fid

    known = fid.compute_fid(
        *map(str, folders), custom_feat_extractor=network, num_workers=0,
        device=torch.device("cpu"), use_dataparallel=False, verbose=False,
    )  # fmt: skip
    scores = score_images(*folders, extractor, quiet)
    assert scores.frechet_distance == pytest.approx(known, rel=1e-6)
    assert (scores.n_generated, scores.n_reference) == (40, 40)
    assert scores.cmmd is None


@pytest.mark.slow
def test_figure_of_a_folder_is_torch_fidelity_s(
    plain: tuple[Path, Path], network: Network, figure: float
) -> None:
    from torch_fidelity import calculate_metrics, register_feature_extractor
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase

    class Wrapped(FeatureExtractorBase):
        def __init__(self, name: str, features_list: list[str], **settings: object) -> None:
            super().__init__(name, features_list)

        @staticmethod
        def get_provided_features_list() -> tuple[str, ...]:
            return ("own",)

        def forward(self, batch: Tensor) -> tuple[Tensor]:
            return (network(batch.float()),)

    register_feature_extractor("wrapped", Wrapped)
    known = calculate_metrics(
        input1=str(plain[0]), input2=str(plain[1]), fid=True, feature_extractor="wrapped",
        feature_layer_fid="own", cuda=False, cache=False, verbose=False, save_cpu_ram=True,
    )  # fmt: skip
    assert figure == pytest.approx(known["frechet_inception_distance"], rel=1e-6)


def test_figure_of_a_folder_is_torchmetrics_s(
    plain: tuple[Path, Path], network: Network, figure: float
) -> None:
    class Wrapped(nn.Module):
        num_features = 12

        def forward(self, batch: Tensor) -> Tensor:
            return network(batch.float())

    metric = FrechetInceptionDistance(feature=Wrapped())
    for folder, real in zip(plain, (False, True), strict=True):
        for path in sorted(folder.iterdir()):
            pixels = torch.from_numpy(np.array(Image.open(path))).movedim(-1, 0)
            metric.update(pixels[None], real=real)
    assert figure == pytest.approx(metric.compute().item(), rel=1e-6)


def test_a_set_against_itself_is_at_no_distance(folders: tuple[Path, Path], extractor: Extractor) -> None:
    scores = score_images(folders[0], folders[0], extractor, quiet)
    assert scores.frechet_distance == pytest.approx(0, abs=1e-6)
    assert scores.kid.value < score_images(*folders, extractor, quiet).kid.value


def test_bias_is_that_of_the_number_of_pictures() -> None:
    random = np.random.default_rng(0)
    x, y = (random.normal(size=(count, 16)).astype(np.float32) for count in (400, 20_000))
    moments = FeatureStatistics.of(y)
    bias = frechet_distance(FeatureStatistics.of(x), moments)  # the distance itself, the truth being 0
    assert half_size_distance(x, moments) - bias == pytest.approx(bias, rel=0.3)


def test_command_prints_the_object(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    generated, reference = map(str, folders)
    arguments = ["--generated", generated, "--reference", reference, "--extractor", "judge", "--json"]
    monkeypatch.setattr(sys, "argv", ["lepbench", "score", "images", *arguments])
    main()
    printed = json.loads(capsys.readouterr().out)
    assert {"frechet_distance", "kid", "n_generated", "n_reference", "extractor"} <= set(printed)
    assert (printed["n_generated"], printed["extractor"]) == (40, "judge@1")
    assert printed["kid_low"] <= printed["kid"] <= printed["kid_high"]
    assert printed["cmmd"] > 0


def test_command_names_the_number_of_pictures_beside_each_figure(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    generated, reference = map(str, folders)
    arguments = ["--generated", generated, "--reference", reference, "--extractor", "judge"]
    monkeypatch.setattr(sys, "argv", ["lepbench", "score", "images", *arguments])
    main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("frechet_distance (n = 40)  ")
    assert [line.partition("  ")[0] for line in lines[1:3]] == ["kid (n = 40)", "cmmd (n = 40)"]
    assert lines[3] == "40 against 40 pictures by judge@1"


def test_photographs_have_no_default_extractor(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--generated", str(folders[0]), "--reference", str(folders[1])]
    monkeypatch.setattr(sys, "argv", ["lepbench", "score", "images", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "have a default extractor; choose one with --extractor" in said.err


def test_what_a_reader_must_know_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(0)
    for name in ("generated", "reference"):
        (tmp_path / name).mkdir()
        for number in range(6):
            pixels = random.integers(0, 256, (64, 64, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    twice = Image.open(tmp_path / "generated" / "0.png")
    twice.save(tmp_path / "generated" / "same.bmp")
    twice.save(tmp_path / "reference" / "same.tiff")
    arguments = ["--generated", str(tmp_path / "generated"), "--reference", str(tmp_path / "reference")]
    monkeypatch.setattr(sys, "argv", ["lepbench", "score", "images", *arguments, "--device", "cpu", "--json"])
    main()
    said = capsys.readouterr()
    printed = json.loads(said.out)
    assert (printed["repeated_generated"], printed["repeated_reference"], printed["shared"]) == (1, 0, 1)
    assert "judge@1 learnt sketchworld alone" in said.err
    assert "1 of the generated pictures have the same pixels as another" in said.err
    assert "1 pictures are in both folders" in said.err


def test_kid_reports_as_it_goes_on(folders: tuple[Path, Path], extractor: Extractor) -> None:
    told: list[tuple[int, int]] = []
    score_images(
        *folders, extractor, lambda stage, done, total: told.append((done, total)) if stage == "kid" else None
    )
    assert told == [(0, 120), (40, 120), (80, 120), (120, 120)]


def test_features_that_are_no_numbers_are_refused(folders: tuple[Path, Path]) -> None:
    broken = Extractor("broken", lambda batch: torch.full((len(batch), 3), torch.nan))
    with pytest.raises(LepbenchError, match=r"broken: features hold NaN or infinity, first in row 0"):
        score_images(*folders, broken, quiet)


@pytest.mark.parametrize("suffix", ["ppm", "gif", "tga"])
def test_every_format_of_a_corpus_is_scored(suffix: str, tmp_path: Path) -> None:
    for number in range(4):
        Image.new("RGB", (9, 9), (60 * number, 0, 0)).save(tmp_path / f"{number}.{suffix}")
    assert len(find_pictures(tmp_path)) == 4


def test_a_picture_that_cannot_be_read_is_not_left_out(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png", "d.png", "e.HEIC"):
        Image.new("RGB", (9, 9)).save(tmp_path / name, "PNG")
    with pytest.raises(LepbenchError, match=r"e\.HEIC is a picture of a kind that is not read; convert"):
        find_pictures(tmp_path)


def test_a_folder_with_a_broken_picture_is_refused(
    folders: tuple[Path, Path], extractor: Extractor, tmp_path: Path
) -> None:
    for number in range(5):
        (tmp_path / f"{number}.png").write_bytes((folders[0] / "01.png").read_bytes())
    (tmp_path / "3.png").write_bytes((folders[0] / "01.png").read_bytes()[:100])
    with pytest.raises(LepbenchError, match=r"3\.png cannot be decoded"):
        extract_folder_features(tmp_path, extractor, quiet)
    with pytest.raises(LepbenchError, match="no such folder"):
        extract_folder_features(tmp_path / "none", extractor, quiet)
    (tmp_path / "empty").mkdir()
    with pytest.raises(LepbenchError, match="holds 0 pictures"):
        extract_folder_features(tmp_path / "empty", extractor, quiet)
