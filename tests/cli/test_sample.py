from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lepbench.backbones import Backbone
from lepbench.cli.app import main
from lepbench.predictors import MlpConfig, MlpPredictor

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def predictor_folder(tiny_backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lep")
    config = MlpConfig(taps=tiny_backbone.tap_channels, out_channels=4, train_timesteps=1000, hidden=(16,))
    MlpPredictor(config).save_pretrained(folder)
    return folder


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tiny_pipeline_folder: Path,
    predictor_folder: Path,
) -> Run:
    """Call `lepbench sample` with the tiny models: (exit code, stdout, stderr)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        models = ["--backbone", tiny_pipeline_folder, "--predictor", predictor_folder]
        words = ["lepbench", "sample", "--prompt", "a red fish", *models, "--steps", "2", *arguments]
        monkeypatch.setattr(sys, "argv", [str(word) for word in words])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return call


def sketch(path: Path, side: int = 64) -> Path:
    image = Image.new("L", (side, side), 255)
    ImageDraw.Draw(image).ellipse((8, 8, side - 9, side - 9), outline=0, width=max(1, side // 64))
    image.save(path)
    return path


def test_a_picture_and_a_strip_are_written_and_named(run: Run, tmp_path: Path) -> None:
    code, out, err = run(
        "--sketch", sketch(tmp_path / "s.png"), "--out", tmp_path / "new" / "fish.png", "--seed", 3
    )
    assert code == 0, err
    answer = json.loads(out)
    assert answer["picture"] == str(tmp_path / "new" / "fish.png")
    assert answer["polarity"] == "black on white"
    assert "black on white" in err
    assert Image.open(answer["picture"]).size == (64, 64)
    strip = Image.open(answer["strip"])
    assert strip.width > 3 * 320  # three panels: sketch, predicted edges, picture


@pytest.mark.slow
def test_the_same_seed_draws_the_same_picture_and_another_does_not(run: Run, tmp_path: Path) -> None:
    drawing = sketch(tmp_path / "s.png")
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert run("--sketch", drawing, "--out", tmp_path / f"{name}.png", "--seed", seed)[0] == 0
    a, b, c = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in "abc")
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


@pytest.mark.slow
def test_a_picture_may_be_oblong_and_a_part_of_the_sketch_may_not_matter(run: Run, tmp_path: Path) -> None:
    drawing = tmp_path / "wide.png"
    image = Image.new("L", (96, 64), 255)
    ImageDraw.Draw(image).ellipse((8, 8, 87, 55), outline=0)
    image.save(drawing)
    Image.fromarray(np.where(np.arange(96) < 48, 255, 0).astype(np.uint8)[None].repeat(64, 0)).save(
        tmp_path / "left.png"
    )
    wide = ["--sketch", drawing, "--height", 64, "--width", 96]
    assert run(*wide, "--out", tmp_path / "a.png")[0] == 0
    assert run(*wide, "--out", tmp_path / "b.png", "--importance", tmp_path / "left.png")[0] == 0
    a, b = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in "ab")
    assert a.shape == b.shape == (64, 96, 3)
    assert not np.array_equal(a, b)


def test_a_sketch_of_the_wrong_size_is_one_line_and_exit_code_2_or_resized(run: Run, tmp_path: Path) -> None:
    drawing = sketch(tmp_path / "big.png", 200)
    code, out, err = run("--sketch", drawing, "--out", tmp_path / "x.png")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "is 200x200 px and the model draws 64x64 px" in err
    assert not (tmp_path / "x.png").exists()
    assert run("--sketch", drawing, "--out", tmp_path / "x.png", "--resize")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sketch", "absent.png", "--out", "x.png"], "no such image: absent.png"),
        (["--sketch", "s.png", "--out", "x.jpg"], "x.jpg does not end in .png"),
        (["--sketch", "s.png", "--out", "s.png/x.png"], "cannot create s.png"),
        (["--sketch", "s.png", "--out", "x.png", "--scheduler", "dim"], "did you mean 'ddim'?"),
        (["--sketch", "s.png", "--out", "x.png", "--stop", "2"], "--stop"),
        (["--sketch", "s.png", "--out", "x.png", "--preset", "fsat"], "did you mean 'fast'?"),
        (["--sketch", "s.png", "--out", "x.png", "--width", "65"], "cannot draw 65x64 px; choose sides"),
        (["--sketch", "s.png", "--out", "x.png", "--importance", "none.png"], "no such image: none.png"),
        (["--sketch", "s.png", "--out", "x.png", "--cfg", "0"], "guidance_scale"),
        (["--sketch", "s.png", "--out", "x.png", "--backbone", "mini@99"], "no embedded model 'mini@99'"),
        (["--sketch", "s.png", "--out", "x.png", "--predictor", "lep@99"], "no embedded model 'lep@99'"),
    ],
)
def test_faults_are_one_line_and_exit_code_2(
    run: Run, arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sketch(tmp_path / "s.png")
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert message in err.splitlines()[-1]
    assert "Traceback" not in err
