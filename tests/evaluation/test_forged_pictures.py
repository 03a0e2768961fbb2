"""Files that no run writes, and conditions whose pictures are none, are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from forged_run import copy, finished, forge, reckon
from PIL import Image

from lepbench.errors import LepbenchError
from lepbench.evaluation.verify import verify_record
from lepbench.files import sha256_file
from lepbench.suites import Suite

__all__ = ["copy", "finished"]


def change_pictures(folder: Path, row: str, change: Callable[[int, Image.Image], Image.Image]) -> None:
    """Change a condition's pictures, and the hashes that the samples and the record have of them."""
    hashes = {}
    for number, path in enumerate(sorted((folder / "samples" / row).iterdir())):
        with Image.open(path) as picture:
            changed = change(number, picture.convert("RGB"))
        changed.save(path)
        hashes[path.name] = sha256_file(path)

    def state(table):  # type: ignore[no-untyped-def]
        lines = table.to_pylist()
        for line in lines:
            if line["row"] == row:
                line["png_sha256"] = hashes[f"{line['item_id']}-{line['sample_index']}.png"]
        return type(table).from_pylist(lines, table.schema)

    forge(folder, state)
    reckon(folder)


FORMS: dict[str, tuple[Callable[[int, Image.Image], Image.Image], str]] = {
    "transparent": (
        lambda _, p: p.convert("RGBA"),
        "is PNG of 64 x 64 px in RGBA, a run writes PNG of 64 x 64",
    ),
    "large": (
        lambda _, p: p.resize((128, 128)),
        "is PNG of 128 x 128 px in RGB, a run writes PNG of 64 x 64",
    ),
    "black": (lambda _, p: Image.new("RGB", p.size), "10 of 10 pictures of unguided in .* are of one colour"),
    "plain": (
        lambda number, p: Image.new("RGB", p.size, (number, 99, 99)) if number % 3 else p,
        "6 of 10 pictures of unguided in .* are of one colour",
    ),
    "the same": (
        lambda _, p: Image.linear_gradient("L").resize(p.size).convert("RGB"),
        "10 of 10 pictures of unguided in .* are one and the same",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_pictures_that_no_run_draws_are_refused(copy: Path, tiny_suite: Suite, name: str) -> None:
    change, message = FORMS[name]
    change_pictures(copy, "unguided", change)
    with pytest.raises(LepbenchError, match=message):
        verify_record(copy, tiny_suite)


def test_single_black_pictures_are_those_of_a_safety_checker(copy: Path, tiny_suite: Suite) -> None:
    change_pictures(copy, "vae", lambda number, p: Image.new("RGB", p.size) if number < 5 else p)
    verify_record(copy, tiny_suite)
