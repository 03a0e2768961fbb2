"""Folders of pictures against each other: the figures of clean-fid, torch-fidelity and torchmetrics."""

import io
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torchmetrics.image.fid import FrechetInceptionDistance, NoTrainInceptionV3

from lepbench.cli.app import main
from lepbench.errors import LepbenchError
from lepbench.files import sha256_file
from lepbench.metrics.frechet import FeatureStatistics, frechet_distance
from lepbench.scoring.extractors import Extractor, load_extractor
from lepbench.scoring.images import extract_folder_features, find_pictures, half_size_distance, score_images


def quiet(stage: str, done: int, total: int) -> None:
    pass


class Inception(nn.Module):
    """A stand-in laid out as the published file: `layers`, fed (x - 128) / 128 at 299 px."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 12, 16, 16), nn.ReLU(), nn.AdaptiveAvgPool2d(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


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
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "inception.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch would have new files made otherwise
        torch.jit.script(Inception()).save(str(path))
    return path


@pytest.fixture(scope="module")
def extractor(weights: Path) -> Extractor:
    return load_extractor(f"torchscript:{weights}", sha256_file(weights))


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
def figure(plain, extractor) -> float:
    return score_images(*plain, extractor, quiet).frechet_distance


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_figure_of_mixed_pictures_is_clean_fid_s(folders, extractor):
    from cleanfid import fid

    known = fid.compute_fid(
        *map(str, folders), custom_feat_extractor=lambda batch: extractor.network(batch), num_workers=0,
        device=torch.device("cpu"), use_dataparallel=False, verbose=False,
    )  # fmt: skip
    scores = score_images(*folders, extractor, quiet)
    assert scores.frechet_distance == pytest.approx(known, rel=1e-6)
    assert (scores.n_generated, scores.n_reference) == (40, 40)
    assert scores.cmmd is None


def test_figure_of_a_folder_is_torch_fidelity_s(plain, extractor, figure):
    from torch_fidelity import calculate_metrics, register_feature_extractor
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase

    class Wrapped(FeatureExtractorBase):
        def __init__(self, name, features_list, **settings):
            super().__init__(name, features_list)

        @staticmethod
        def get_provided_features_list():
            return ("own",)

        def forward(self, batch):
            return (extractor.network(batch.float()),)

    register_feature_extractor("wrapped", Wrapped)
    known = calculate_metrics(
        input1=str(plain[0]), input2=str(plain[1]), fid=True, feature_extractor="wrapped",
        feature_layer_fid="own", cuda=False, cache=False, verbose=False, save_cpu_ram=True,
    )  # fmt: skip
    assert figure == pytest.approx(known["frechet_inception_distance"], rel=1e-6)


def test_figure_of_a_folder_is_torchmetrics_s(plain, extractor, figure):
    class Wrapped(nn.Module):
        num_features = 12

        def forward(self, batch: Tensor) -> Tensor:
            return extractor.network(batch.float())

    metric = FrechetInceptionDistance(feature=Wrapped())
    for folder, real in zip(plain, (False, True), strict=True):
        for path in sorted(folder.iterdir()):
            pixels = torch.from_numpy(np.array(Image.open(path))).movedim(-1, 0)
            metric.update(pixels[None], real=real)
    assert figure == pytest.approx(metric.compute().item(), rel=1e-6)


def test_a_set_against_itself_is_at_no_distance(folders, extractor):
    scores = score_images(folders[0], folders[0], extractor, quiet)
    assert scores.frechet_distance == pytest.approx(0, abs=1e-6)
    assert scores.kid.value < score_images(*folders, extractor, quiet).kid.value


def test_bias_is_that_of_the_number_of_pictures():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(400, 16)), random.normal(size=(20_000, 16))
    moments = FeatureStatistics.of(y)
    bias = frechet_distance(FeatureStatistics.of(x), moments)  # the distance itself, the truth being 0
    assert half_size_distance(x, moments) - bias == pytest.approx(bias, rel=0.3)


def test_command_prints_the_object(folders, monkeypatch, capsys):
    generated, reference = map(str, folders)
    arguments = ["--generated", generated, "--reference", reference, "--json"]
    monkeypatch.setattr(sys, "argv", ["lepbench", "score", "images", *arguments])
    main()
    printed = json.loads(capsys.readouterr().out)
    assert {"frechet_distance", "kid", "n_generated", "n_reference", "extractor"} <= set(printed)
    assert (printed["n_generated"], printed["extractor"]) == (40, "judge@1")
    assert printed["kid_low"] <= printed["kid"] <= printed["kid_high"]
    assert printed["cmmd"] > 0


def test_command_names_the_number_of_pictures_beside_each_figure(folders, monkeypatch, capsys):
    generated, reference = map(str, folders)
    arguments = ["--generated", generated, "--reference", reference]
    monkeypatch.setattr(sys, "argv", ["lepbench", "score", "images", *arguments])
    main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("frechet_distance (n = 40)  ")
    assert [line.partition("  ")[0] for line in lines[1:3]] == ["kid (n = 40)", "cmmd (n = 40)"]
    assert lines[3] == "40 against 40 pictures by judge@1"


@pytest.fixture(scope="module")
def inception(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in the layout of the published file."""
    empty = io.BytesIO()
    torch.save({}, empty)
    empty.seek(0)
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda self, weights: None)
        model = FeatureExtractorInceptionV3("inception", ["2048"], empty)
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(model.state_dict(), path)
    return path


@pytest.mark.parametrize(
    ("kind", "architecture"),
    [("torch-fidelity", FeatureExtractorInceptionV3), ("torchmetrics", NoTrainInceptionV3)],
)
def test_inception_s_features_are_the_library_s_at_any_size(kind, architecture, inception, tmp_path):
    random = np.random.default_rng(2)
    pictures = [random.integers(0, 256, (side, 50, 3), dtype=np.uint8) for side in (40, 40, 70, 40)]
    for number, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    extractor = load_extractor(f"{kind}:{inception}", sha256_file(inception))
    found = extract_folder_features(tmp_path, extractor, quiet)
    model = architecture("inception", ["2048"], str(inception))
    with torch.no_grad():
        known = [model(torch.from_numpy(pixels).movedim(-1, 0)[None]) for pixels in pictures]
    rows = [one[0].reshape(2048).numpy() for one in known]
    assert extractor.name == f"{kind}:inception.pth#{sha256_file(inception)[:16]}"
    assert np.std(rows, axis=0).max() > 0
    assert np.allclose(found, rows, rtol=1e-4, atol=1e-6)


def test_weights_that_would_run_something_are_refused(inception, tmp_path):
    class Harmful:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "touched",))

    path = tmp_path / "harmful.pth"
    torch.save({"weight": Harmful()}, path)
    torch.save({"weight": torch.zeros(2)}, tmp_path / "other.pth")
    (tmp_path / "text.pth").write_bytes(b"no weights")
    for name in ("harmful", "other", "text"):
        with pytest.raises(LepbenchError, match="holds no Inception weights"):
            load_extractor(f"torch-fidelity:{tmp_path / name}.pth")
    assert not (tmp_path / "touched").exists()
    with pytest.raises(LepbenchError, match="has SHA-256"):
        load_extractor(f"torchmetrics:{inception}", "0" * 64)


def test_features_that_are_no_numbers_are_refused(folders):
    broken = Extractor("broken", 8, lambda batch: torch.full((len(batch), 3), torch.nan))
    with pytest.raises(LepbenchError, match=r"broken: a feature is nan"):
        score_images(*folders, broken, quiet)


@pytest.mark.parametrize("suffix", ["ppm", "gif", "tga"])
def test_every_format_of_a_corpus_is_scored(suffix, tmp_path):
    for number in range(4):
        Image.new("RGB", (9, 9), (60 * number, 0, 0)).save(tmp_path / f"{number}.{suffix}")
    assert len(find_pictures(tmp_path)) == 4


def test_a_program_is_opened_only_if_it_is_the_one_pinned(weights, tmp_path):
    with pytest.raises(LepbenchError, match="pin its bytes with --sha256"):
        load_extractor(f"torchscript:{weights}")
    with pytest.raises(LepbenchError, match="has SHA-256"):
        load_extractor(f"torchscript:{weights}", "0" * 64)
    with pytest.raises(LepbenchError, match="missing weight file"):
        load_extractor(f"torchscript:{tmp_path / 'none.pt'}", "0" * 64)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("jugde", "unknown extractor 'jugde'; did you mean 'judge'"),
        ("clip", "extractor 'clip' needs a source"),
        ("dinov2:/no/such/folder", "cannot load a DINOv2 model"),
    ],
)
def test_faults_of_a_name_are_one_line(spec, message):
    with pytest.raises(LepbenchError, match=message):
        load_extractor(spec)


def test_dinov2_reads_its_class_token(tmp_path):
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    shape = Dinov2Config(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=224)
    Dinov2Model(shape).save_pretrained(tmp_path)
    network = load_extractor(f"dinov2:{tmp_path}").network
    batch = 255 * torch.rand(2, 3, 224, 224)
    with torch.no_grad():
        assert network(batch).shape == (2, 16)


def test_a_folder_with_a_broken_picture_is_refused(folders, extractor, tmp_path):
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
