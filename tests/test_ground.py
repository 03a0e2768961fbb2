"""The ground floor: one-line errors with suggestions, atomic files, seeds, pictures of every mode."""

from __future__ import annotations

import errno
import io
import subprocess
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from lepbench.config import Config, dump_config, load_config
from lepbench.errors import LepbenchError
from lepbench.files import atomic_path, sha256_bytes, sha256_file, write_bytes
from lepbench.images import encode_png, open_rgb, read_pixels, square, to_pixels, to_tensor
from lepbench.registry import Registry
from lepbench.seeds import derive_seed, draw_noise


class Inner(Config):
    steps: int = 50


class Outer(Config):
    name: str
    kind: Literal["a", "b"] = "a"
    sampler: Inner = Inner()


def test_a_config_round_trips_through_yaml(tmp_path: Path) -> None:
    config = Outer(name="x", sampler=Inner(steps=3))
    (tmp_path / "c.yaml").write_text(dump_config(config))
    assert load_config(tmp_path / "c.yaml", Outer) == config


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nam: x", "unknown key 'nam'; did you mean 'name'?"),
        ("name: x\nsampler: {stepz: 3}", "unknown key 'sampler.stepz'; did you mean 'steps'?"),
        ("name: x\nkind: c", "kind must be 'a' or 'b', not 'c'"),
        ("{}", "the key 'name' is missing; add 'name: ...'"),
        ("- a list", 'holds the list ["a list"], not keys with values'),
        ("a: [", "is not valid YAML"),
        ("a: 1\nb: 2\na: 3", "the key 'a' stands here twice"),
    ],
)
def test_a_faulty_yaml_is_one_line_that_names_the_file(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(LepbenchError) as raised:
        load_config(path, Outer)
    assert said in str(raised.value)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_yaml_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="cannot read"):
        load_config(tmp_path / "nowhere.yaml", Outer)


def test_a_registry_suggests_and_takes_a_name_once() -> None:
    shelf: Registry[int] = Registry("shelf")
    shelf.register("canny")(1)
    assert shelf.get("canny") == 1
    with pytest.raises(LepbenchError, match="unknown shelf 'cany'; did you mean 'canny'"):
        shelf.get("cany")
    with pytest.raises(ValueError, match="registered twice"):
        shelf.register("canny")(2)


def test_a_failed_write_leaves_the_old_file_and_no_crumbs(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_bytes(path, b"old")
    with pytest.raises(ZeroDivisionError), atomic_path(path) as partial:
        partial.write_bytes(bytes(1 // len(partial.read_bytes())))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    assert sha256_file(path) == sha256_bytes(b"old")


@pytest.mark.parametrize(
    ("fault", "fix"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "make room, and run the same command again"),
        (OSError("500 requested and 96 written"), "make room, and run the same command again"),
        (PermissionError(errno.EACCES, "Permission denied"), "choose a writable folder"),
    ],
)
def test_what_cannot_be_written_is_one_line(tmp_path: Path, fault: OSError, fix: str) -> None:
    path = tmp_path / "f"
    with pytest.raises(LepbenchError, match=f"cannot write {path}: .*; {fix}$"), atomic_path(path):
        raise fault
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_read_meanwhile_is_for_the_caller(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "f"):
        (tmp_path / "gone").read_bytes()


def test_seeds_belong_to_items() -> None:
    assert derive_seed("suite", "item", 0) == derive_seed("suite", "item", 0)
    assert (
        len(
            {
                derive_seed("s", "a", 1),
                derive_seed("s", "a", 2),
                derive_seed("s", "b", 1),
                derive_seed("sa", "", 1),
            }
        )
        == 4
    )
    assert 0 <= derive_seed("x") < 2**63
    assert torch.equal(draw_noise(7, (2, 3)), draw_noise(7, (2, 3)))


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_pixels_survive_tensors_and_png(pixels: np.ndarray) -> None:
    assert np.array_equal(to_pixels(to_tensor(pixels)), pixels)
    assert np.array_equal(read_pixels(encode_png(pixels)), pixels)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def test_pictures_of_any_mode_are_read_upright_on_white() -> None:
    grey16 = Image.fromarray(np.full((4, 4), 65535, np.uint16))
    assert np.asarray(open_rgb(encoded(grey16, "PNG"))).min() == 255
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    assert np.asarray(open_rgb(encoded(clear, "PNG"))).min() == 255
    cmyk = Image.new("CMYK", (4, 4), (0, 0, 0, 0))
    assert np.asarray(open_rgb(encoded(cmyk, "JPEG"))).min() > 250
    turned = Image.new("RGB", (4, 2))
    exif = turned.getexif()
    exif[274] = 6
    assert open_rgb(encoded(turned, "JPEG", exif=exif)).size == (2, 4)
    assert square(Image.new("RGB", (40, 20)), 8).size == (8, 8)


def test_pictures_that_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    noisy = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    with pytest.raises(LepbenchError, match="cannot be decoded"):
        open_rgb(encoded(Image.fromarray(noisy), "JPEG")[:900], "cut.jpg")
    with pytest.raises(LepbenchError, match="is not an image"):
        open_rgb(b"plain text", "note.jpg")
    with pytest.raises(LepbenchError, match="no such image"):
        open_rgb(tmp_path / "nowhere.png")


@pytest.mark.parametrize("code", ["import lepbench", "import lepbench.cli.app"])
def test_importing_the_package_loads_no_heavy_library(code: str) -> None:
    heavy = "{'torch', 'diffusers', 'transformers', 'datasets', 'pandas', 'cv2'}"
    script = f"import sys; {code}; print(sorted(sys.modules.keys() & {heavy}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_lists_every_verb_and_a_misspelt_one_exits_with_2() -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lepbench", *words], capture_output=True, text=True, check=False
        )

    shown = run("--help")
    assert shown.returncode == 0
    for verb in ("build-data", "evaluate", "leaderboard", "mini", "sample", "train-lep"):
        assert verb in shown.stdout
        assert run(verb, "--help").returncode == 0
    wrong = run("evalute")
    assert wrong.returncode == 2
    assert wrong.stderr.count("\n") == 1
