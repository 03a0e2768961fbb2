"""Folders of pictures against each other: the same figures as clean-fid on the same features."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from lepbench.cli.app import main
from lepbench.errors import LepbenchError
from lepbench.files import sha256_file
from lepbench.metrics.frechet import FeatureStatistics, frechet_distance
from lepbench.scoring.extractors import Extractor, load_extractor
from lepbench.scoring.images import folder_features, half_size_distance, score_images


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


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_figures_are_clean_fid_s_on_the_same_features(folders, extractor):
    from cleanfid import fid

    def network(batch: Tensor) -> Tensor:
        return extractor.network(batch)

    known = [
        fid.get_folder_features(
            str(folder), network, num_workers=0, batch_size=8, device=torch.device("cpu"), verbose=False
        )
        for folder in folders
    ]
    ours = [folder_features(folder, extractor, quiet) for folder in folders]
    for one, other in zip(ours, known, strict=True):
        # clean-fid lists its files in another order.
        assert np.allclose(np.sort(one, axis=0), np.sort(other, axis=0), rtol=1e-5, atol=1e-6)
    scores = score_images(*folders, extractor, quiet)
    assert scores.frechet_distance == pytest.approx(fid.fid_from_feats(*known), rel=1e-5)
    assert (scores.n_generated, scores.n_reference) == (40, 40)
    assert scores.cmmd is None


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
        folder_features(tmp_path, extractor, quiet)
    with pytest.raises(LepbenchError, match="no such folder"):
        folder_features(tmp_path / "none", extractor, quiet)
    (tmp_path / "empty").mkdir()
    with pytest.raises(LepbenchError, match="holds 0 pictures"):
        folder_features(tmp_path / "empty", extractor, quiet)
