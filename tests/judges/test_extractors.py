"""Extractors give the features of the libraries they stand for, and open no file that would run something."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_extractors import weights
from torch import nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torchmetrics.image.fid import NoTrainInceptionV3

from lepbench.errors import LepbenchError
from lepbench.files import sha256_file
from lepbench.images import to_tensor
from lepbench.judges.dinov2 import DEVIATION, MEAN
from lepbench.judges.pixels import resize_cleanly
from lepbench.scoring.extractors import load_extractor
from lepbench.scoring.images import extract_folder_features

__all__ = ["weights"]


def quiet(stage: str, done: int, total: int) -> None:
    pass


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "architecture"),
    [("torch-fidelity", FeatureExtractorInceptionV3), ("torchmetrics", NoTrainInceptionV3)],
)
def test_inception_s_features_are_the_library_s_at_any_size(
    kind: str, architecture: Callable[..., nn.Module], inception: Path, tmp_path: Path
) -> None:
    random = np.random.default_rng(2)
    pictures = [random.integers(0, 256, (side, 50, 3), dtype=np.uint8) for side in (40, 40, 70, 40)]
    for number, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    extractor = load_extractor(f"{kind}:{inception}", sha256_file(inception))
    found = extract_folder_features(tmp_path, extractor, quiet).features
    model = architecture("inception", ["2048"], str(inception))
    with torch.no_grad():
        known = [model(torch.from_numpy(pixels).movedim(-1, 0)[None]) for pixels in pictures]
    rows = [one[0].reshape(2048).numpy() for one in known]
    assert extractor.name == f"{kind}:inception.pth#{sha256_file(inception)[:16]}"
    assert np.std(rows, axis=0).max() > 0
    assert np.allclose(found, rows, rtol=1e-4, atol=1e-6)


def test_weights_that_would_run_something_are_refused(inception: Path, tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[Any, ...]:
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


def test_a_program_is_opened_only_if_it_is_the_one_pinned(weights: Path, tmp_path: Path) -> None:
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
        ("dinov2:/no/such/folder", "there is no such folder"),
    ],
)
def test_faults_of_a_name_are_one_line(spec: str, message: str) -> None:
    with pytest.raises(LepbenchError, match=message):
        load_extractor(spec)


def test_dinov2_reads_its_class_token(tmp_path: Path) -> None:
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    shape = Dinov2Config(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=224)
    Dinov2Model(shape).save_pretrained(tmp_path)
    model = Dinov2Model.from_pretrained(tmp_path).eval()
    images = to_tensor(np.random.default_rng(0).integers(0, 256, (2, 50, 60, 3), dtype=np.uint8))
    mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, DEVIATION))
    with torch.no_grad():
        known = model((resize_cleanly(images, 224) / 255 - mean) / deviation).last_hidden_state[:, 0]
    assert torch.allclose(load_extractor(f"dinov2:{tmp_path}").features(images), known, atol=1e-6)


def test_a_folder_that_is_not_there_is_no_id(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="there is no such folder"):
        load_extractor(f"clip:{tmp_path / 'none'}")
