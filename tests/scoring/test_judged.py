"""Several judges in one go: each gives the figures that it gives alone, and those of its peers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from tiny_clip import save_clip
from tiny_extractors import weights

import lepbench
from lepbench.cli.app import main
from lepbench.files import sha256_file
from lepbench.metrics.cmmd import cmmd
from lepbench.metrics.coverage import coverage, density
from lepbench.progress import ignore_progress
from lepbench.scoring.extractors import load_extractor
from lepbench.scoring.images import extract_folder_features, score_images

__all__ = ["weights"]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Generated pictures and real ones; the last of the former is one of the latter."""
    random = np.random.default_rng(0)
    for name, level, count in (("generated", 120, 12), ("real", 150, 16)):
        (tmp_path / name).mkdir()
        for number in range(count):
            pixels = np.clip(level + 50 * random.standard_normal((40, 40, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{number:02d}.png")
    Image.open(tmp_path / "real" / "03.png").save(tmp_path / "generated" / "11.png", compress_level=1)
    return tmp_path / "generated", tmp_path / "real"


@pytest.fixture
def judges(weights: Path, tmp_path: Path) -> Path:
    clip = save_clip(tmp_path / "clip")
    listed = [
        {"name": "inception", "weights": str(weights), "sha256": sha256_file(weights)},
        {"name": "clip", "label": "tiny", "model": str(clip), "resize": "clean-fid"},
        "sketchworld-segmenter",
    ]
    (tmp_path / "judges.yaml").write_text(yaml.safe_dump(listed))
    return tmp_path / "judges.yaml"


def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["lepbench", *(str(one) for one in arguments)])
    main()
    return capsys.readouterr().out


@pytest.mark.slow
def test_each_judge_gives_what_it_gives_alone(
    folders: tuple[Path, Path],
    judges: Path,
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ("score", "images", "--generated", folders[0], "--reference", folders[1], "--judges", judges)
    figures = json.loads(call(monkeypatch, capsys, *command, "--json"))
    alone = load_extractor(f"torchscript:{weights}", sha256_file(weights))
    clip = load_extractor(f"clip:{judges.parent / 'clip'}")
    scores, by_clip = (score_images(*folders, one, ignore_progress) for one in (alone, clip))
    x, y = (extract_folder_features(folder, alone, ignore_progress).features for folder in folders)
    a, b = (extract_folder_features(folder, clip, ignore_progress).features for folder in folders)
    assert figures["fid@inception"] == pytest.approx(scores.frechet_distance)
    assert figures["fid_bias@inception"] == pytest.approx(scores.frechet_bias)
    assert figures["kid@inception"] == pytest.approx(scores.kid.value)
    assert figures["kid_low@inception"] <= figures["kid@inception"] <= figures["kid_high@inception"]
    assert figures["density@inception"] == pytest.approx(density(x, y).mean())
    assert figures["coverage@inception"] == pytest.approx(coverage(x, y))
    assert figures["fd@tiny"] == pytest.approx(by_clip.frechet_distance)
    assert figures["cmmd@tiny"] == pytest.approx(cmmd(a, b))
    assert "cmmd@inception" not in figures
    assert (figures["n_generated"], figures["n_reference"], figures["shared"]) == (12, 16, 1)
    lines = call(monkeypatch, capsys, *command).splitlines()
    assert [line.split()[0] for line in lines[:-1]] == [
        "fid@inception", "fid_bias@inception", "kid@inception", "density@inception", "coverage@inception",
        "fd@tiny", "fd_bias@tiny", "kid@tiny", "density@tiny", "coverage@tiny", "cmmd@tiny",
    ]  # fmt: skip
    assert lines[-1] == "12 against 16 pictures"


@pytest.mark.slow
def test_statistics_give_the_figures_of_their_pictures(
    folders: tuple[Path, Path],
    judges: Path,
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = judges.parent / "made"
    lepbench.make_statistics(folders[1], judges, made, device="cpu", progress=False)
    common = ("score", "images", "--generated", folders[0], "--judges", judges, "--json", "--reference")
    ways = [json.loads(call(monkeypatch, capsys, *common, reference)) for reference in (folders[1], made)]
    assert ways[0] == ways[1]
    assert ways[1]["shared"] == 1
    extractor = load_extractor(f"torchscript:{weights}", sha256_file(weights))
    by_pictures, by_statistics = (
        score_images(folders[0], reference, extractor, ignore_progress) for reference in (folders[1], made)
    )
    assert by_pictures == by_statistics


def test_what_cannot_be_compared_is_one_line(
    folders: tuple[Path, Path],
    judges: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = judges.parent / "made"
    lepbench.make_statistics(folders[1], judges, made, device="cpu", progress=False)
    common = ("score", "images", "--generated", folders[0], "--reference", made)
    judges.write_text(judges.read_text().replace("clean-fid", "processor"))
    cases = {
        "holds features by inception, tiny and none by 'tiny' as it is set here": ("--judges", judges),
        "--judges and --extractor name networks both; give one of them": (
            "--judges", judges, "--extractor", "judge",
        ),
        "holds features by inception, tiny and none by judge@1": ("--extractor", "judge"),
    }  # fmt: skip
    for message, options in cases.items():
        monkeypatch.setattr(sys, "argv", ["lepbench", *(str(one) for one in (*common, *options))])
        with pytest.raises(SystemExit) as caught:
            main()
        lines = [line for line in capsys.readouterr().err.splitlines() if "lepbench:" in line]
        assert caught.value.code == 2
        assert len(lines) == 1
        assert message in lines[0]
