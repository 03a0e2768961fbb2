from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import call_command
from PIL import Image, ImageDraw

from lepbench.backbones import Backbone, load_backbone
from lepbench.config import load_config
from lepbench.images import to_pixels
from lepbench.methods import ModelConfig, Request
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
        words = ["sample", "--prompt", "a red fish", *models, "--steps", "2", *arguments]
        return call_command(monkeypatch, *words), *capsys.readouterr()

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


def test_candidates_are_the_pictures_of_their_seeds_on_one_sheet(run: Run, tmp_path: Path) -> None:
    drawing = sketch(tmp_path / "s.png")
    code, out, err = run(
        "--sketch", drawing, "--out", tmp_path / "new" / "fish.png", "--seed", 4, "--count", 3
    )
    assert code == 0, err
    answer = json.loads(out)
    assert answer["sheet"] == str(tmp_path / "new" / "fish.png")
    assert answer["pictures"] == [
        {"picture": str(tmp_path / "new" / f"fish-{seed}.png"), "seed": seed} for seed in (4, 5, 6)
    ]
    assert run("--sketch", drawing, "--out", tmp_path / "alone.png", "--seed", 5)[0] == 0
    assert (tmp_path / "new" / "fish-5.png").read_bytes() == (tmp_path / "alone.png").read_bytes()
    # Two rows of two: the sketch and three pictures, each enlarged to 320 px.
    sheet = np.asarray(Image.open(answer["sheet"]).convert("RGB"))
    assert min(sheet.shape[:2]) > 2 * 320
    first = np.asarray(Image.open(answer["pictures"][0]["picture"]).convert("RGB"))
    assert np.array_equal(sheet[16 + 2 : 16 + 320 : 5, 2 * 16 + 320 + 2 : 2 * 16 + 640 : 5], first)


def test_an_interrupt_leaves_the_finished_candidates(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lepbench.methods.drawn as drawing

    draw = drawing.draw_request

    def stop_at_the_second(method: Any, request: Any, progress: Any) -> drawing.DrawnPicture:
        if request.seed == 1:
            raise KeyboardInterrupt
        return draw(method, request, progress)

    monkeypatch.setattr(drawing, "draw_request", stop_at_the_second)
    code, out, _ = run("--sketch", sketch(tmp_path / "s.png"), "--out", tmp_path / "x.png", "--count", 3)
    assert (code, out) == (130, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.png", "x-0.png", "x.png"]


def test_a_thick_pen_is_thinned_unless_told_otherwise(run: Run, tmp_path: Path) -> None:
    image = Image.new("L", (64, 64), 255)
    ImageDraw.Draw(image).ellipse((6, 6, 57, 57), outline=0, width=6)
    image.save(tmp_path / "thick.png")
    code, out, err = run("--sketch", tmp_path / "thick.png", "--out", tmp_path / "a.png")
    assert code == 0, err
    assert json.loads(out)["thinned"] is True
    assert "thick strokes are redrawn as thin lines; --no-thin keeps them" in err
    code, out, err = run("--sketch", tmp_path / "thick.png", "--out", tmp_path / "b.png", "--no-thin")
    assert code == 0
    assert json.loads(out)["thinned"] is False
    assert "redrawn" not in err
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()


def test_doubts_are_a_line_each(run: Run, tmp_path: Path) -> None:
    drawing = sketch(tmp_path / "s.png", 128)
    Image.new("L", (64, 64), 200).save(tmp_path / "even.png")
    where = ["--sketch", drawing, "--out", tmp_path / "x.png", "--importance", tmp_path / "even.png"]
    code, out, err = run(*where, "--height", 128, "--width", 128)
    assert code == 0, err
    assert "even.png is the same everywhere: it changes nothing\n" in err
    assert "was trained at 64x64 px: at 128x128 px expect worse pictures\n" in err
    assert "thick" not in err
    assert json.loads(out)["thinned"] is False
    black = Image.new("L", (64, 64), 255)
    black.paste(0, (0, 0, 30, 64))
    black.save(tmp_path / "half.png")
    assert "half.png: 47% of it is read as ink" in run("--sketch", tmp_path / "half.png", *where[2:4])[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sketch", "s.png", "--out", "x.png", "--count", "0"], "--count"),
        (["--sketch", "s.png", "--out", "x.png", "--seed", str(2**64 - 1), "--count", "2"], "64 bits"),
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


def test_a_model_file_draws_in_place_of_options(
    run: Run,
    tmp_path: Path,
    tiny_pipeline_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model, drawing = tmp_path / "model.yaml", sketch(tmp_path / "s.png")
    model.write_text(
        f"name: tiny\nbackbone: {tiny_pipeline_folder}\nsampler: {{steps: 2}}\nmethod: unguided\n"
    )
    shared = ["--sketch", drawing, "--model", model, "--out", tmp_path / "x.png"]
    assert call_command(monkeypatch, "sample", "--prompt", "a red fish", *shared) == 0
    assert (tmp_path / "x-strip.png").is_file()
    capsys.readouterr()
    config = load_config(model, ModelConfig)
    method = config.method.build(load_backbone(tiny_pipeline_folder), config.sampler)
    drawn = method.draw([Request("x.png", "a red fish", np.zeros((64, 64), np.bool_), 0)])
    assert np.array_equal(np.asarray(Image.open(tmp_path / "x.png")), to_pixels(drawn)[0])
    # The other tests' options say which backbone.
    code, _, err = run(*shared)
    assert code == 2
    assert "--model and --backbone are both given; write it into the file" in err


def test_a_sheet_is_shown_as_it_fills(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    drawing, out = sketch(tmp_path / "s.png"), tmp_path / "x.png"
    assert run("--sketch", drawing, "--out", out, "--count", 2, "--watch")[0] == 0
    assert opened == [out.with_suffix(".html").as_uri()]
    assert "2 of 2 pictures" in out.with_suffix(".html").read_text()
    assert "--watch shows a sheet; add --count" in run("--sketch", drawing, "--out", out, "--watch")[2]
