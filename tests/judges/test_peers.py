"""Features and similarities by judges are those of transformers, torchmetrics and the FID libraries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_judges import (
    PHOTOGRAPHS,
    cut_photographs,
    save_clip,
    save_dinov2,
    save_inception,
    save_siglip,
    save_torchscript,
)

from lepbench.files import sha256_file
from lepbench.images import Pixels, to_tensor
from lepbench.judges import LoadedJudge, select_judge
from lepbench.metrics.clip import clip_score, cosine

SIZES = ((64, 64), (128, 128), (150, 200), (32, 32))
CAPTIONS = list(PHOTOGRAPHS.values())


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("judges")
    return {
        "clip": save_clip(root / "clip"),
        "siglip": save_siglip(root / "siglip"),
        "dinov2": save_dinov2(root / "dinov2"),
        "torchscript": save_torchscript(root / "inception.pt"),
    }


def load(name: str, model: Path, **settings: Any) -> LoadedJudge:
    return select_judge({"name": name, "model": str(model), **settings}).load("cpu")


def stack(pixels: list[Pixels]) -> torch.Tensor:
    return to_tensor(np.stack(pixels))


def compare_captions(judge: LoadedJudge, pixels: list[Pixels]) -> torch.Tensor:
    assert judge.captions is not None
    return cosine(judge.captions.image_embedding(stack(pixels)), judge.captions.text_features(CAPTIONS))


def resize_as_clean_fid(pixels: Pixels, side: int) -> np.ndarray:
    """Each channel as floats by Pillow's bicubic filter: float32 [side, side, 3] in [0, 255]."""
    bands = [Image.fromarray(band) for band in np.moveaxis(pixels, -1, 0).astype(np.float32)]
    resized = [np.asarray(band.resize((side, side), Image.Resampling.BICUBIC)) for band in bands]
    return np.stack(resized, axis=-1).clip(0, 255)


def normalise(batch: np.ndarray, mean: Any, deviation: Any) -> torch.Tensor:
    """[B, H, W, 3] in [0, 255] as a network reads it."""
    values = (batch.astype(np.float64) / 255 - np.asarray(mean)) / np.asarray(deviation)
    return torch.from_numpy(values.astype(np.float32)).movedim(-1, 1)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_clip_similarity_is_that_of_the_whole_model(folders: dict[str, Path], size: tuple[int, int]) -> None:
    from transformers import CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

    pixels = cut_photographs(*size)
    folder = folders["clip"]
    model = CLIPModel.from_pretrained(folder).eval()
    prepare = CLIPProcessor(CLIPImageProcessor.from_pretrained(folder), CLIPTokenizer.from_pretrained(folder))
    inputs = prepare(
        text=CAPTIONS, images=[Image.fromarray(one) for one in pixels], return_tensors="pt", padding=True
    )
    with torch.no_grad():
        known = model(**inputs).logits_per_image.diagonal() / model.logit_scale.exp()
    assert known.std() > 0.05
    assert torch.allclose(compare_captions(load("clip", folder), pixels), known, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_clip_score_is_torchmetrics_s(
    folders: dict[str, Path], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchmetrics.functional.multimodal import clip_score as score_captions
    from transformers import CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

    folder = folders["clip"]
    model = CLIPModel.from_pretrained(folder).eval()
    prepare = CLIPProcessor(CLIPImageProcessor.from_pretrained(folder), CLIPTokenizer.from_pretrained(folder))
    for kind in ("image", "text"):
        # torchmetrics 1.9 takes what transformers 4 gave: the features themselves.
        whole = getattr(model, f"get_{kind}_features")
        monkeypatch.setattr(
            model, f"get_{kind}_features", lambda *given, whole=whole: whole(*given).pooler_output
        )
    pixels = cut_photographs(*size)
    found = compare_captions(load("clip", folder), pixels)
    for one, caption, similarity in zip(pixels, CAPTIONS, found, strict=True):
        picture = torch.from_numpy(one).movedim(-1, 0)
        known = score_captions(picture, caption, lambda: (model, prepare))
        assert 100 * similarity.clamp_min(0) == pytest.approx(known.item(), abs=1e-4)
    assert clip_score(torch.ones(1, 3), torch.ones(1, 3)) == pytest.approx(100)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_siglip_similarity_is_that_of_the_whole_model(
    folders: dict[str, Path], size: tuple[int, int]
) -> None:
    from transformers import AutoTokenizer, SiglipImageProcessor, SiglipModel, SiglipProcessor

    pixels = cut_photographs(*size)
    folder = folders["siglip"]
    model = SiglipModel.from_pretrained(folder).eval()
    prepare = SiglipProcessor(
        SiglipImageProcessor.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    )
    inputs = prepare(
        text=CAPTIONS,
        images=[Image.fromarray(one) for one in pixels],
        padding="max_length",
        truncation=True,
        return_tensors="pt",
    )
    with torch.no_grad():
        logits = model(
            input_ids=inputs["input_ids"], pixel_values=inputs["pixel_values"]
        ).logits_per_image.diagonal()
    known = (logits - model.logit_bias) / model.logit_scale.exp()
    assert torch.allclose(compare_captions(load("siglip", folder), pixels), known, rtol=0, atol=1e-6)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_clip_features_by_clean_fid_s_resize_are_transformers(
    folders: dict[str, Path], size: tuple[int, int]
) -> None:
    from transformers import CLIPImageProcessor, CLIPModel

    pixels, folder = cut_photographs(*size), folders["clip"]
    model, settings = CLIPModel.from_pretrained(folder).eval(), CLIPImageProcessor.from_pretrained(folder)
    resized = np.stack([resize_as_clean_fid(one, 32) for one in pixels])
    with torch.no_grad():
        values = normalise(resized, settings.image_mean, settings.image_std)
        known = model.get_image_features(pixel_values=values).pooler_output
    judge = load("clip", folder, resize="clean-fid")
    assert judge.features is not None
    assert torch.allclose(judge.features(stack(pixels)), known, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_dinov2_features_are_the_class_token_of_transformers(
    folders: dict[str, Path], size: tuple[int, int]
) -> None:
    from transformers import Dinov2Model

    pixels = cut_photographs(*size)
    model = Dinov2Model.from_pretrained(folders["dinov2"]).eval()
    resized = np.stack([resize_as_clean_fid(one, 56) for one in pixels])
    with torch.no_grad():
        values = normalise(resized, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
        known = model(values).last_hidden_state[:, 0]
    judge = load("dinov2", folders["dinov2"], size=56)
    assert judge.features is not None
    assert torch.allclose(judge.features(stack(pixels)), known, rtol=1e-5, atol=1e-5)


def load_layers(path: Path) -> Any:
    """What a TorchScript file holds, without our code."""
    model: Any = torch.jit.load(path)
    return model.eval().layers


@pytest.mark.filterwarnings("ignore:.torch.jit.load. is deprecated:FutureWarning")
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_torchscript_features_are_those_of_pictures_as_clean_fid_reads_them(
    folders: dict[str, Path], size: tuple[int, int]
) -> None:
    from cleanfid.resize import build_resizer

    pixels, path = cut_photographs(*size), folders["torchscript"]
    layers = load_layers(path)
    resize = build_resizer("clean")
    batch = torch.stack([torch.from_numpy(resize(one)).movedim(-1, 0) for one in pixels])
    with torch.no_grad():
        known = layers((batch - 128) / 128).flatten(1)
    judge = select_judge({"name": "inception", "weights": str(path), "sha256": sha256_file(path)}).load("cpu")
    assert judge.features is not None
    assert torch.allclose(judge.features(stack(pixels)), known, rtol=1e-6, atol=1e-6)


def architecture_of(library: str) -> Callable[..., Any]:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    from torchmetrics.image.fid import NoTrainInceptionV3

    return FeatureExtractorInceptionV3 if library == "torch-fidelity" else NoTrainInceptionV3


@pytest.fixture(scope="module")
def true_inception(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_inception(tmp_path_factory.mktemp("weights") / "inception.pth")


@pytest.mark.slow
@pytest.mark.parametrize("library", ["torch-fidelity", "torchmetrics"])
def test_features_of_the_true_inception_are_the_library_s(library: str, true_inception: Path) -> None:
    path = true_inception
    model = architecture_of(library)("inception", ["2048"], str(path))
    judge = select_judge({"name": "inception", "weights": str(path), "library": library}).load("cpu")
    assert judge.features is not None
    for size in SIZES[1:3]:
        pixels = cut_photographs(*size)[:2]
        with torch.no_grad():
            found = model(torch.from_numpy(np.stack(pixels)).movedim(-1, 1))
        known = found[0] if isinstance(found, tuple) else found
        assert known.std(dim=0).max() > 0.01
        assert torch.allclose(judge.features(stack(pixels)), known.reshape(2, 2048), rtol=1e-6, atol=1e-6)
