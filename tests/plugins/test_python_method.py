"""`method: {name: python}`: any callable that draws, and every fault that it can have in one line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from lepbench import api
from lepbench.api.running import evaluate
from lepbench.errors import LepbenchError
from lepbench.evaluation import opening
from lepbench.evaluation.record import read_record
from lepbench.files import sha256_file
from lepbench.judges import Judges
from lepbench.methods.pictures import read_pictures
from lepbench.publishing.leaderboard import add_record
from lepbench.publishing.origin import describe_origin
from lepbench.submitted import hash_code
from lepbench.suites import Suite

Command = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]
Write = Callable[[str, str], Path]

CODE = """
from pathlib import Path

import numpy as np

Path(__file__).with_suffix(".ran").touch()

def draw(prompts, sketches, seeds, size, shade=0.5):
    assert len(prompts) == len(sketches) == len(seeds) and sketches.shape[1:] == (size, size)
    assert sketches.dtype == bool and isinstance(seeds[0], int)
    return np.where(sketches[..., None], 0.0, shade).repeat(3, axis=-1)

def make(shade=0.5):
    return lambda prompts, sketches, seeds, size: draw(prompts, sketches, seeds, size, shade)

class Brush:
    def __init__(self, shade=0.5):
        self.shade = shade
    def __call__(self, prompts, sketches, seeds, size):
        return draw(prompts, sketches, seeds, size, self.shade)

number = 3

def make_number():
    return 3

def refuse():
    raise RuntimeError("no\\nweights")

def wrong(kind):
    def drawn(prompts, sketches, seeds, size):
        whole = np.zeros((len(prompts), size, size, 3), np.float32)
        return {
            "few": whole[:-1],
            "small": whole[:, ::2, ::2],
            "bright": whole + 255,
            "dark": whole - 1,
            "integers": whole.astype(np.int64),
            "grey": whole[..., 0],
            "flat": whole[0],
            "nan": whole * np.nan,
            "text": "nothing",
            "none": None,
            "empty": [],
            "words": ["one"] * len(prompts),
            "sizes": [whole[0], whole[0, ::2]],
        }[kind]
    return drawn

def fail(prompts, sketches, seeds, size):
    return prompts[99]
"""


@pytest.fixture
def model(write: Write) -> Callable[..., Path]:
    """A model of a target in `of_tests.py`, and that file."""
    write("of_tests.py", CODE)

    def written(target: str, **options: Any) -> Path:
        method = {"name": "python", "target": target, "options": options}
        return write("m.yaml", yaml.safe_dump({"name": "mine", "method": method}))

    return written


@pytest.fixture
def options(tiny_suite: Suite, tmp_path: Path) -> list[Any]:
    return ["--suite", tiny_suite.folder, "--limit", "2", "--device", "cpu", "--out", tmp_path / "out"]


def test_a_configuration_alone_runs_no_code(
    lepbench: Command,
    refused: Refused,
    model: Callable[..., Path],
    options: list[Any],
    *,
    tiny_suite: Suite,
    tmp_path: Path,
) -> None:
    path = model("of_tests:draw")
    line = refused("evaluate", path, *options)
    assert line == (
        f"lepbench: method 'python' would run {tmp_path / 'of_tests.py'}, which is new here or has changed; "
        "read it, then add --trust-code once (in Python: evaluate(..., trust_code=True))"
    )
    assert not (tmp_path / "of_tests.ran").exists()
    with pytest.raises(LepbenchError, match="which is new here"):
        evaluate(path, tiny_suite, tmp_path / "out", limit=2, device="cpu", progress=False)
    assert not (tmp_path / "of_tests.ran").exists()
    assert lepbench("evaluate", path, *options, "--trust-code")[0] == 0
    assert lepbench("evaluate", path, *options)[0] == 0


def test_the_record_says_whose_code_it_was(
    lepbench: Command, model: Callable[..., Path], options: list[Any], tmp_path: Path
) -> None:
    code, stdout, stderr = lepbench(
        "evaluate", model("of_tests.py:make", shade=0.9), *options, "--trust-code", "--json"
    )
    assert code == 0, stderr
    assert "code of the submitter took part: of_tests\n" in stderr
    assert json.loads(stdout)["submitted_code"] == ["of_tests"]
    record = read_record(tmp_path / "out")
    assert record.identity.weights["code/of_tests"] == sha256_file(tmp_path / "of_tests.py")
    assert record.submitted_code == ["of_tests"]
    assert record.identity.model.method.model_dump()["options"] == {"shade": 0.9}
    assert describe_origin(record) == "pictures drawn elsewhere; code of the submitter: of_tests"
    with (tmp_path / "out" / "table.csv").open(newline="") as stream:
        assert [line["row"] for line in csv.DictReader(stream)] == ["model", "real", "wrong_sketch"]


def test_a_changed_file_does_not_go_on_with_a_run(
    lepbench: Command, refused: Refused, model: Callable[..., Path], options: list[Any], tmp_path: Path
) -> None:
    path = model("of_tests.py:draw")
    assert lepbench("evaluate", path, *options, "--trust-code")[0] == 0
    (tmp_path / "of_tests.py").write_text(CODE + "\n# another\n")
    assert "out" in refused("evaluate", path, *options, "--trust-code")


@pytest.mark.parametrize("target", ["of_tests.py:draw", "of_tests:make", "of_tests.py:Brush"])
def test_a_function_a_factory_and_a_class_draw_alike(
    lepbench: Command, model: Callable[..., Path], options: list[Any], tmp_path: Path, target: str
) -> None:
    assert lepbench("evaluate", model(target, shade=0.75), *options, "--trust-code")[0] == 0
    pictures = sorted((tmp_path / "out" / "samples" / "model").glob("*.png"))
    assert len(pictures) == 2
    assert {int(value) for value in np.unique(np.asarray(Image.open(pictures[0])))} == {0, 191}


NO_TARGET = "names no callable; write package.module:name or file.py:name"
RETURN = "return a tensor [B, 3, H, W], an array [B, H, W, 3], or PIL images"


@pytest.mark.parametrize(
    ("target", "given", "message"),
    [
        ("of_tests", {}, NO_TARGET),
        (":draw", {}, NO_TARGET),
        ("of_tests:", {}, NO_TARGET),
        ("of_tests:3", {}, NO_TARGET),
        ("nowhere:draw", {}, "no module 'nowhere'"),
        ("nowhere.py:draw", {}, "no such file: nowhere.py"),
        ("of_tests:absent", {}, "of_tests has no callable 'absent'; check 'method.target'"),
        ("of_tests:number", {}, "of_tests has no callable 'number'"),
        ("of_tests:make_number", {}, "of_tests:make_number returned int, which cannot be called"),
        ("of_tests:refuse", {}, "of_tests:refuse failed: RuntimeError: no weights (of_tests.py, line 28)"),
        ("of_tests:make", {"colour": 1}, "unexpected keyword argument 'colour'; check 'method.options'"),
        ("of_tests:draw", {"colour": 1}, "unexpected keyword argument 'colour'; check 'method.options'"),
        ("of_tests:draw", {"seeds": 1}, "multiple values for argument 'seeds'"),
        ("of_tests:fail", {}, "could be drawn: IndexError: list index out of range (of_tests.py, line 51)"),
        ("of_tests:wrong", {"kind": "few"}, "of_tests:wrong returned 1 pictures for 2 prompts"),
        ("of_tests:wrong", {"kind": "small"}, "[3, 32, 32], not [3, 64, 64]; draw at the suite's size"),
        ("of_tests:wrong", {"kind": "bright"}, "returned values from 255 to 255; scale pictures to [0, 1]"),
        ("of_tests:wrong", {"kind": "dark"}, "returned values from -1 to -1; scale pictures to [0, 1]"),
        ("of_tests:wrong", {"kind": "integers"}, "pictures of int64; return uint8, or float in [0, 1]"),
        ("of_tests:wrong", {"kind": "grey"}, f"returned an array of shape [2, 64, 64]; {RETURN}"),
        ("of_tests:wrong", {"kind": "flat"}, f"returned an array of shape [64, 64, 3]; {RETURN}"),
        (
            "of_tests:wrong",
            {"kind": "nan"},
            "could be drawn: pixels that are not finite",
        ),
        ("of_tests:wrong", {"kind": "text"}, f"returned str; {RETURN}"),
        ("of_tests:wrong", {"kind": "none"}, f"returned NoneType; {RETURN}"),
        ("of_tests:wrong", {"kind": "empty"}, f"returned a list of nothing; {RETURN}"),
        ("of_tests:wrong", {"kind": "words"}, f"returned a list of str; {RETURN}"),
        ("of_tests:wrong", {"kind": "sizes"}, "returned pictures of 2 sizes; draw all at one size"),
    ],
)
def test_every_fault_is_one_line(
    refused: Refused,
    model: Callable[..., Path],
    options: list[Any],
    target: str,
    given: dict[str, Any],
    message: str,
) -> None:
    assert message in refused("evaluate", model(target, **given), *options, "--trust-code")


def test_an_unknown_key_is_one_line(refused: Refused, write: Write, options: list[Any]) -> None:
    path = write("m.yaml", "name: m\nmethod: {name: python, target: 'a:b', option: {}}\n")
    assert "m.yaml: unknown key 'method.option'; did you mean 'options'?" in refused(
        "evaluate", path, *options
    )
    path = write("m.yaml", "name: m\nbackbone: mini@1\nmethod: {name: python, target: 'a:b'}\n")
    assert "method 'python' has no backbone" in refused("evaluate", path, *options)


WHOLE = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), dtype=np.uint8)
FLOAT = WHOLE.astype(np.float64) / 255
KINDS: dict[str, Any] = {
    "uint8 array": WHOLE,
    "float64 array": FLOAT,
    "float32 array, reversed": FLOAT.astype(np.float32)[:, ::-1][:, ::-1],
    "float tensor": torch.from_numpy(FLOAT).movedim(-1, 1),
    "uint8 tensor": torch.from_numpy(WHOLE).movedim(-1, 1),
    "tensor with a gradient": torch.from_numpy(FLOAT).movedim(-1, 1).requires_grad_(),
    "list of PIL": [Image.fromarray(one) for one in WHOLE],
    "tuple of PIL": tuple(Image.fromarray(one) for one in WHOLE),
    "list of arrays": list(WHOLE),
    "list of tensors": list(torch.from_numpy(FLOAT).movedim(-1, 1)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_is_read_alike(kind: str) -> None:
    read = read_pictures(KINDS[kind], 2, "a test")
    assert (read.dtype, tuple(read.shape)) == (torch.float32, (2, 3, 4, 4))
    np.testing.assert_allclose(read.detach().numpy(), FLOAT.transpose(0, 3, 1, 2), atol=1e-6)
    assert not read.requires_grad


def test_not_a_number_stays_to_fail_its_sample() -> None:
    drawn = torch.zeros(2, 3, 4, 4)
    drawn[1, 0, 0, 0] = torch.nan
    assert read_pictures(drawn, 2, "a test").isnan().sum() == 1


def test_one_failed_picture_of_several_is_told_of(
    lepbench: Command, write: Write, options: list[Any], tmp_path: Path
) -> None:
    write(
        "half.py",
        """
        import numpy as np
        def draw(prompts, sketches, seeds, size):
            drawn = np.full((len(prompts), size, size, 3), 0.5)
            drawn[0] = np.nan
            return drawn
        """,
    )
    path = write("m.yaml", "name: m\nmethod: {name: python, target: 'half.py:draw'}\n")
    code, _, stderr = lepbench("evaluate", path, *options, "--trust-code")
    assert code == 0
    assert "failed samples, in no figure: 1 of model" in stderr


def paint(prompts: Any, sketches: Any, seeds: Any, size: int, shade: float = 0.5) -> Any:
    return torch.full((len(prompts), 3, size, size), shade)


class Painter:
    def __call__(self, prompts: Any, sketches: Any, seeds: Any, size: int) -> Any:
        return paint(prompts, sketches, seeds, size)


@pytest.mark.parametrize(
    "thing", [paint, partial(paint, shade=0.1), partial(partial(paint), shade=0.1), Painter()],
)  # fmt: skip
def test_a_callable_at_hand_is_hashed_by_the_file_that_defines_it(thing: Any) -> None:
    assert hash_code(thing) == {f"code/{__name__}": sha256_file(Path(__file__))}


def test_what_ships_is_nobodys_submission() -> None:
    assert hash_code(read_pictures) == hash_code(Judges) == hash_code(partial(read_pictures)) == {}
    assert hash_code(api) == {"code/builtins": "unknown"}


def test_a_callable_at_hand_is_evaluated(
    tiny_suite: Suite, tiny_judges: Judges, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "load_judges", lambda protocol, device: tiny_judges)
    record = evaluate(
        partial(paint, shade=0.1), tiny_suite, tmp_path / "o", limit=2, device="cpu", progress=False
    )
    assert record.identity.model.name == "paint"
    assert record.submitted_code == [__name__]


def test_a_leaderboard_says_whose_code_it_was(
    lepbench: Command,
    model: Callable[..., Path],
    tiny_suite: Suite,
    tiny_judges: Judges,
    tmp_path: Path,
) -> None:
    words = ("--suite", tiny_suite.folder, "--device", "cpu", "--out", tmp_path / "out", "--trust-code")
    assert lepbench("evaluate", model("of_tests.py:draw"), *words)[0] == 0
    # The code is not needed any more: nothing of it runs when a record is read or verified.
    (tmp_path / "of_tests.py").unlink()
    board, changed = add_record(tmp_path / "out", tmp_path / "boards", tiny_suite)
    assert changed
    with board.open(newline="") as stream:
        (line,) = csv.DictReader(stream)
    assert line["label"] == "pictures drawn elsewhere; code of the submitter: of_tests"
    assert line["method"] == "python(target=of_tests.py:draw)"
