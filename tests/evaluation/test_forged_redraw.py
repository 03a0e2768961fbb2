"""Pictures, lines and costs that the stated model does not give are found by drawing anew."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from forged_run import copy, edit, finished
from PIL import Image
from tiny_evaluation import pictures_of

from lepbench.errors import LepbenchError
from lepbench.evaluation import redraw
from lepbench.evaluation.checks import verify_run
from lepbench.evaluation.record import Record, read_record
from lepbench.evaluation.redraw import choose_items, redraw_samples
from lepbench.evaluation.redrawn import BOUNDS, WINDOW, Bounds, compare_lines, compare_picture
from lepbench.evaluation.sample import make_batches
from lepbench.files import sha256_bytes
from lepbench.judges import Judges
from lepbench.progress import ignore_progress
from lepbench.suites import Suite

__all__ = ["copy", "finished"]

ANEW: dict[str, Any] = {"device": "cpu", "nonce": "nonce", "progress": ignore_progress}


def test_pictures_drawn_anew_are_the_stored(finished: Path, tiny_suite: Suite, tiny_judges: Judges) -> None:
    verified = verify_run(finished, tiny_suite, judges=tiny_judges, redraw=2, device="cpu")
    said = {check.name: (check.checked, check.trusted) for check in verified.checks}
    assert list(said) == [
        "suite",
        "counts",
        "pictures",
        "references",
        "networks",
        "judges",
        "redrawn",
        "guard",
    ]
    assert said["redrawn"] == (
        "2 pictures of model, 2 pictures of unguided, 2 pictures of vae; "
        "the stored lines are better by 0.0000",
        "",
    )
    assert said["references"] == ("real, overlay, wrong_sketch made anew", "")
    assert verified.level == "redrawn"
    without = verify_run(finished, tiny_suite, judges=tiny_judges)
    assert (without.level, without.checks[3].trusted) == ("verified", "vae, unguided")
    assert verify_run(finished, tiny_suite, pictures=True).level == "self-reported"
    assert verify_run(finished, tiny_suite).level == "self-reported"


def test_pictures_drawn_anew_have_the_same_bytes_on_one_machine(
    finished: Path, tiny_suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of batches of eight and of two."""
    monkeypatch.setattr("lepbench.evaluation.redrawn.BOUNDS", Bounds(0.0, 0.0))
    record = read_record(finished)
    drawn = redraw_samples(finished, record, tiny_suite, 99, device="cpu", progress=ignore_progress)
    assert (drawn.pictures, drawn.lead) == ({"model": 10, "unguided": 10, "vae": 10}, 0.0)
    for count in (1, 3):
        redraw_samples(finished, record, tiny_suite, count, device="cpu", progress=ignore_progress)


def test_items_to_draw_are_chosen_by_the_verifier(
    finished: Path, tiny_suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = read_record(finished)
    chosen = choose_items(record, tiny_suite, 3, "nonce")
    ids = tiny_suite.items().ids
    assert chosen == sorted(ids, key=lambda one: sha256_bytes(f"{record.id} nonce {one}".encode()))[:3]
    nonces: list[str] = []

    def choose_none(record: Record, suite: Suite, count: int, nonce: str) -> list[str]:
        nonces.append(nonce)
        return []

    monkeypatch.setattr(redraw, "choose_items", choose_none)
    for _ in range(2):
        redraw_samples(finished, record, tiny_suite, 1, device="cpu", progress=ignore_progress)
    assert len(set(nonces)) == 2


@pytest.mark.parametrize("row", ["model", "unguided", "vae"])
def test_a_picture_of_another_drawing_is_refused(copy: Path, tiny_suite: Suite, row: str) -> None:
    record = read_record(copy)
    (chosen,) = choose_items(record, tiny_suite, 1, "nonce")
    path = copy / "samples" / row / f"{chosen}-0.png"
    drawn = np.asarray(Image.open(path)).astype(int)
    # The last bits, in one of the colours.
    Image.fromarray(np.clip(drawn + np.array([1, 0, 0]), 0, 255).astype(np.uint8)).save(path)
    redraw_samples(copy, record, tiny_suite, 1, **ANEW)
    Image.fromarray(np.where(drawn < 128, drawn + 9, drawn - 9).astype(np.uint8)).save(path)
    with pytest.raises(LepbenchError, match=f"{path.name} differs by 0.0353 a pixel from the picture"):
        redraw_samples(copy, record, tiny_suite, 1, **ANEW)


def test_a_change_in_one_place_is_refused_though_its_mean_is_small(tmp_path: Path) -> None:
    stored = np.full((64, 64, 3), 100, np.uint8)
    stored[30:33, 30:40] += 50
    Image.fromarray(stored).save(tmp_path / "x.png")
    drawn = np.full_like(stored, 100)
    assert np.abs(stored.astype(int) - drawn).mean() / 255 < BOUNDS.mean
    with pytest.raises(LepbenchError, match=f"differs by 0.0735 a pixel in a square of {WINDOW} px from"):
        compare_picture(tmp_path / "x.png", drawn, BOUNDS)
    with pytest.raises(LepbenchError, match="has not the size of the picture drawn anew"):
        compare_picture(tmp_path / "x.png", drawn[:32], BOUNDS)


def test_pictures_blended_into_true_ones_within_the_bounds_are_refused_by_their_lines(
    finished: Path, tiny_suite: Suite, tmp_path: Path
) -> None:
    """Pale pictures, and the same with as much more contrast as the bounds admit."""
    protocol = read_record(finished).protocol
    samples = make_batches(tiny_suite, tiny_suite.items(), 1, 8)[0]
    real = pictures_of([sample.item for sample in samples]).astype(float)
    drawn, stored = (np.round(128 + share * (real - 128)).astype(np.uint8) for share in (0.2, 0.208))
    assert compare_lines(finished, list(zip(drawn, drawn, strict=True)), samples, protocol) == 0
    assert compare_lines(finished, list(zip(drawn, stored, strict=True)), samples, protocol) < 0.001
    pairs = []
    for number, (blended, plain) in enumerate(zip(stored, drawn, strict=True)):
        Image.fromarray(blended).save(tmp_path / f"{number}.png")
        pairs.append(compare_picture(tmp_path / f"{number}.png", plain, BOUNDS))
    with pytest.raises(LepbenchError, match=r"pictures of 8 samples whose \w+ is 0.\d+ above that of the"):
        compare_lines(finished, pairs, samples, protocol)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"passes": 3.0}, "says that a picture of model has passes 3.0, drawn anew it has 4.0"),
        ({"steered_passes": 1.0}, "has steered_passes 1.0, drawn anew it has 0.0"),
        ({"tflop": 1e-9}, "has tflop 1e-09, drawn anew it has"),
        ({"precision": "int1"}, "has precision int1, drawn anew it has float32"),
        ({"cached": True}, "has cached True, drawn anew it has False"),
    ],
)
def test_a_cost_that_drawing_does_not_have_is_refused(
    copy: Path, tiny_suite: Suite, change: dict[str, Any], message: str
) -> None:
    edit(copy, lambda d: d["cost"]["model"].update(change))
    with pytest.raises(LepbenchError, match=message):
        redraw_samples(copy, read_record(copy), tiny_suite, 1, **ANEW)


def test_a_cost_left_out_is_missed(copy: Path, tiny_suite: Suite) -> None:
    edit(copy, lambda d: d["cost"].pop("model"))
    with pytest.raises(LepbenchError, match="record has no cost of model"):
        redraw_samples(copy, read_record(copy), tiny_suite, 1, **ANEW)


def test_pictures_are_drawn_anew_on_the_device_of_the_run(
    finished: Path, tiny_suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redraw, "choose_device", lambda name: SimpleNamespace(type="cuda"))
    with pytest.raises(LepbenchError, match="was drawn on 'cpu', and pictures of 'cuda' differ by rounding"):
        redraw_samples(finished, read_record(finished), tiny_suite, 1, progress=ignore_progress)
