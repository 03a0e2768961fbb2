"""A folder of pictures: which of its files take part in a run, and which must not lie there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lepbench.errors import LepbenchError
from lepbench.files import sha256_bytes, sha256_file
from lepbench.methods import Method, Request
from lepbench.methods.precomputed import Precomputed

ITEMS = ("cat", "cat-1", "dog")
NAMES = [f"{item}-{index}.png" for index in range(2) for item in ITEMS]
SIZE = 8


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures of each item, each of its own."""
    for number, name in enumerate(NAMES):
        random = np.random.default_rng(number)
        Image.fromarray(random.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)).save(tmp_path / name)
    return tmp_path


def asked(folder: Path, names: list[str]) -> Method:
    return Precomputed(folder).restrict(names, ITEMS)


def test_pictures_are_their_pixels_in_the_order_of_the_requests(folder: Path) -> None:
    sketch = np.zeros((SIZE, SIZE), bool)
    drawn = Precomputed(folder).draw([Request(name, "", sketch, 0) for name in reversed(NAMES)])
    assert drawn.dtype == torch.uint8
    for picture, name in zip(drawn, reversed(NAMES), strict=True):
        assert np.array_equal(picture.movedim(0, -1).numpy(), np.asarray(Image.open(folder / name)))


def test_the_hash_is_of_the_files_that_are_asked_for_alone(folder: Path) -> None:
    some = [NAMES[2], NAMES[0]]
    lines = "".join(f"{sha256_file(folder / name)}  {name}\n" for name in sorted(some))
    alone = asked(folder, some).weights
    assert alone == {"pictures": sha256_bytes(lines.encode())} == asked(folder, some[::-1]).weights
    assert alone != asked(folder, NAMES).weights == Precomputed(folder).weights
    (folder / NAMES[1]).unlink()
    assert asked(folder, some).weights == alone
    (folder / NAMES[0]).write_bytes((folder / NAMES[4]).read_bytes())
    assert asked(folder, some).weights != alone


@pytest.mark.parametrize("names", [NAMES[:3], NAMES[:1], NAMES[4:]], ids=["samples", "items", "both"])
def test_more_pictures_of_the_suite_may_lie_there(names: list[str], folder: Path) -> None:
    asked(folder, names).check(names)


def test_what_is_not_asked_for_is_not_read(folder: Path) -> None:
    for name in NAMES[1:]:
        (folder / name).write_bytes(b"")
    asked(folder, NAMES[:1]).check(NAMES[:1])


@pytest.mark.parametrize(
    "stranger",
    ["bird-0.png", "cat-00.png", "cat-01.png", "cat--1.png", "cat-x.png", "cat-1-2.PNG", "cat.png",
     "cat-2.jpg", "cat-2.png.txt", "prompts.csv", "-0.png", "cat-².png"],
)  # fmt: skip
def test_any_other_file_is_named(stranger: str, folder: Path) -> None:
    (folder / stranger).write_bytes(b"")
    with pytest.raises(LepbenchError, match="1 not asked for, first") as raised:
        asked(folder, NAMES).check(NAMES)
    assert stranger in str(raised.value)


def test_a_missing_picture_is_named_whatever_else_is_there(folder: Path) -> None:
    (folder / NAMES[0]).rename(folder / "cat-7.png")
    with pytest.raises(LepbenchError, match=rf"the 6 pictures asked for: 1 missing, first '{NAMES[0]}'"):
        asked(folder, NAMES).check(NAMES)


def test_other_methods_are_the_same_for_every_run() -> None:
    class White(Method):
        def draw(self, requests: object) -> torch.Tensor:
            return torch.ones(1, 3, SIZE, SIZE)

    white = White()
    assert white.restrict(NAMES, ITEMS) is white
