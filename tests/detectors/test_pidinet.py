"""PiDiNet against its authors' maps, and against their way of calling it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision.transforms.functional as TF
from PIL import Image
from safetensors.torch import save_file

from lepbench.config import dump_config, load_config
from lepbench.detectors import Pidinet, identify_detector
from lepbench.detectors.annotators import PACKAGE
from lepbench.errors import LepbenchError
from lepbench.images import to_tensor

pytestmark = pytest.mark.skipif(find_spec(PACKAGE) is None, reason="needs lepbench[annotators]")
PUBLISHED = Path(__file__).parents[3] / "shared" / "pidinet"
SHA256 = "80860ac267258b5f27486e0ef152a211d0b08120f62aeb185a050acc30da486c"


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Pidinet.build().eval()
        network.get_parameter("classifier.weight").data.mul_(200)
    return network


@pytest.fixture(scope="module")
def weights(network: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pidinet") / "weights.safetensors"
    save_file(network.state_dict(), path)
    return path


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="needs the published maps")
@pytest.mark.slow
def test_gives_the_authors_maps() -> None:
    weights = PUBLISHED / "table5_pidinet.pth"
    kinds = ("published", "controlnet")
    detectors = [Pidinet(weights=weights, sha256=SHA256, convention=kind) for kind in kinds]
    theirs: list[np.ndarray] = []
    ours: dict[str, list[np.ndarray]] = {kind: [] for kind in kinds}
    for path in sorted(PUBLISHED.glob("*.jpg")):
        theirs.append(np.asarray(Image.open(path.with_name(f"{path.stem}-map.png")).convert("L")).ravel())
        images = to_tensor(np.asarray(Image.open(path))[None])
        for detector in detectors:
            ours[detector.convention].append(detector.soft(images).numpy().ravel())
    assert len(theirs) == 3
    each = [np.corrcoef(a, b)[0, 1] for a, b in zip(theirs, ours["published"], strict=True)]
    assert min(each) > 0.99
    whole = np.concatenate(theirs)
    pooled = {kind: np.corrcoef(whole, np.concatenate(maps))[0, 1] for kind, maps in ours.items()}
    assert pooled["published"] > 0.995
    assert pooled["controlnet"] < 0.95


def test_is_called_as_torchvision_standardises(network: torch.nn.Module, weights: Path) -> None:
    images = torch.rand(1, 3, 33, 47, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = network(TF.normalize(images, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))[-1][:, 0]
    found = Pidinet(weights=weights).soft(images)
    assert expected.std() > 0.01
    assert torch.allclose(found, expected, atol=1e-5)


def test_how_it_is_called_is_part_of_its_identity(weights: Path, tmp_path: Path) -> None:
    published, controlnet = (Pidinet(weights=weights, convention=c) for c in ("published", "controlnet"))
    assert identify_detector(published).startswith("pidinet@2(threshold=0.5,as=published,weights=sha256:")
    assert identify_detector(published) != identify_detector(controlnet)
    path = tmp_path / "detector.yaml"
    path.write_text(dump_config(controlnet))
    assert "as: controlnet" in path.read_text()
    assert load_config(path, Pidinet) == controlnet
    path.write_text("name: pidinet\nas: caffe\n")
    with pytest.raises(LepbenchError, match="as must be 'published' or 'controlnet'"):
        load_config(path, Pidinet)
