"""The evaluation of ControlNet++ in one command: its figures are those of the programs that publish them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from peer_figures import compare_pictures, compute_clean_fid, load_layers
from PIL import Image
from tiny_judges import save_judges, write_yaml
from tiny_photographs import PRECOMPUTED, freeze_photographs, save_variants

from lepbench.cli.app import main
from lepbench.suites import Suite

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.torch.jit.load. is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

SAMPLES = 4


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four photographs at 512 px with their Canny maps at 0.1 and 0.2, four pictures of each, and judges."""
    root = tmp_path_factory.mktemp("controlnetpp")
    suite = freeze_photographs(root / "suite", size=512, items=4, low=0.1, high=0.2)
    save_variants(suite, root / "pictures", SAMPLES)
    save_judges(root)
    write_yaml(
        root / "model.yaml", {"name": "x", "method": {**PRECOMPUTED, "folder": str(root / "pictures")}}
    )
    # The published figures are of thousands of pictures; a distance is given from 512 on.
    terms = {"name": "few-pictures", "extends": "controlnetpp-canny-v1", "frechet_from": 4, "resamples": 50}
    write_yaml(root / "protocol.yaml", terms)
    return root


def run_command(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, object]:
    """A command of lepbench, and the JSON that it prints."""
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["lepbench", *map(str, arguments), "--json"])
        main()
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.usefixtures("sqrtm_of_clean_fid")
def test_the_three_figures_are_those_of_the_programs_that_publish_them(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / "cache"))
    suite, out = Suite(root / "suite"), tmp_path / "out"
    run_command(
        capsys, "evaluate", root / "model.yaml", "--suite", suite.folder, "--out", out, "--device", "cpu",
        "--protocol", root / "protocol.yaml", "--judges", root / "tiny.yaml", "--samples-per-item", SAMPLES,
    )  # fmt: skip
    record = json.loads((out / "record.json").read_text())
    assert record["protocol"]["name"] == "few-pictures-with-tiny"
    figures = {name: figure["value"] for name, figure in record["rows"]["model"].items()}

    (tmp_path / "real").mkdir()
    for item in suite:
        assert item.image is not None
        Image.fromarray(item.image).save(tmp_path / "real" / f"{item.item_id}.png")
    scored = run_command(
        capsys, "score", "edges", "--generated", root / "pictures", "--reference", tmp_path / "real",
        "--protocol", "controlnetpp-canny-v1", "--workers", 1,
    )  # fmt: skip
    assert figures["pooled_f1_0px"] == pytest.approx(scored["strict"]["f1"], rel=0, abs=1e-12)  # type: ignore[index]
    assert 0.1 < figures["pooled_f1_0px"] < 0.99

    groups = []
    for index in range(SAMPLES):
        (tmp_path / str(index)).mkdir()
        for path in (root / "pictures").glob(f"*-{index}.png"):
            (tmp_path / str(index) / path.name).symlink_to(path)
        groups.append(
            compute_clean_fid(tmp_path / str(index), tmp_path / "real", load_layers(root / "inception.pt"))
        )
    assert figures["fid_by_index@inception"] == pytest.approx(np.mean(groups), rel=1e-6)

    samples = pd.read_parquet(out / "samples.parquet").query("row == 'model'")
    names = zip(samples["item_id"], samples["sample_index"], strict=True)
    pixels = [np.asarray(Image.open(root / "pictures" / f"{name}-{index}.png")) for name, index in names]
    captions = [suite[name].prompt for name in samples["item_id"]]
    cosines = compare_pictures(root / "clip", pixels, captions).diagonal().double()
    assert figures["clip_score@openai-b16"] == pytest.approx(
        float((100 * cosines).clamp_min(0).mean()), abs=1e-4
    )


def test_a_suite_of_another_size_is_refused(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = freeze_photographs(tmp_path / "small", size=64, items=4, low=0.1, high=0.2)
    with pytest.raises(SystemExit, match="2"):
        run_command(
            capsys, "evaluate", root / "model.yaml", "--suite", small.folder, "--out", tmp_path / "out",
            "--protocol", "controlnetpp-canny-v1", "--judges", root / "tiny.yaml",
        )  # fmt: skip
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert "controlnetpp-canny-v1 scores at 512 px, suite 'small' has 64" in said[0]
    assert not (tmp_path / "out").exists()
