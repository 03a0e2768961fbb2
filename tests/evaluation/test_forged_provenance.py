"""What a record says of files, packages and failures is held against what is here, or has a form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forged_run import copy, edit, finished
from PIL import Image

from lepbench.errors import LepbenchError
from lepbench.evaluation import redraw
from lepbench.evaluation.checks import verify_run
from lepbench.evaluation.provenance import check_embedded
from lepbench.evaluation.record import Record, read_record
from lepbench.evaluation.redraw import choose_items, redraw_samples
from lepbench.evaluation.run import evaluate
from lepbench.evaluation.verify import verify_record
from lepbench.files import sha256_bytes, sha256_file
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.progress import ignore_progress
from lepbench.suites import Suite

__all__ = ["copy", "finished"]

CLAIMS: dict[str, tuple[Callable[[Any], object], str]] = {
    "negative failures": (lambda d: d["failed"].update(model=-3), "failed.model must be 0 or more"),
    "failures that are not": (
        lambda d: d["failed"].update(model=2),
        "says .*'model': 2.* failed, its samples say none",
    ),
    "a failed condition of no run": (
        lambda d: d["failed"].update(best=0),
        "'best': 0.* failed, its samples say",
    ),
    "a formula for a backbone": (
        lambda d: d["identity"]["model"].update(backbone='=HYPERLINK("https://example.org")'),
        "backbone must be one line of characters that are seen, and not begin with =",
    ),
    "a suite of two lines": (
        lambda d: d["identity"].update(suite="a\nb"),
        "suite must be one line",
    ),
    "a name without end": (
        lambda d: d["identity"]["model"].update(name="a" * 101),
        "name must be .* at most",
    ),
    "a package of words": (
        lambda d: d["identity"]["packages"].update({"best package": "1"}),
        "packages.*must be a text of the form",
    ),
    "a version of words": (
        lambda d: d["identity"]["packages"].update(torch="the best"),
        "torch must be a",
    ),
    "a hash of words": (lambda d: d["identity"]["weights"].update(x="none"), "weights.x must be a text"),
    "a machine that hides": (
        lambda d: d["machine"].update(processor="x\u202e"),
        "processor must be one line",
    ),
    "no cores": (lambda d: d["machine"].update(cores=0), "cores must be 1 or more"),
    "time that runs back": (lambda d: d["timing"].update(total=-1), "total must be 0 or more"),
    "an item of another suite": (
        lambda d: d.update(cut_captions=["x"]),
        "speaks of 'x', which is no",
    ),
    "a cached condition of no run": (lambda d: d["reused"].append("best"), "speaks of 'best'"),
    "captions beyond number": (lambda d: d.update(truncated=11), "has 11 captions truncated of 10"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_claims_that_cannot_be_are_refused(copy: Path, tiny_suite: Suite, name: str) -> None:
    change, message = CLAIMS[name]
    edit(copy, change)
    with pytest.raises(LepbenchError, match=message):
        verify_record(copy, tiny_suite)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory, tiny_suite: Suite, tiny_judges: Judges) -> Path:
    """A run of the backbone and the predictor that ship, on one item."""
    model = {"name": "lep", "sampler": {"steps": 2}, "method": {"name": "lep"}}
    out = tmp_path_factory.mktemp("embedded") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEPBENCH_CACHE", str(out.parent / "cache"))
        evaluate(
            ModelConfig.model_validate(model), tiny_suite, out, limit=1, device="cpu", judges=tiny_judges
        )
    return out


@pytest.mark.parametrize("name", ["backbone/unet/", "predictor/", "predictor/another"])
def test_weights_that_ship_are_those_here(embedded: Path, name: str) -> None:
    record = read_record(embedded)
    assert check_embedded(embedded, record) == ["mini@1", "lep-mini@1"]
    weights = dict(record.identity.weights)
    named = next((key for key in weights if key.startswith(name)), name)
    weights[named] = "0" * 64
    identity = record.identity.model_copy(update={"weights": weights})
    with pytest.raises(LepbenchError, match=f"says {named} has SHA-256 0000"):
        check_embedded(embedded, record.model_copy(update={"identity": identity}))


def test_judges_are_those_here(copy: Path, tiny_suite: Suite, tiny_judges: Judges) -> None:
    other = Judges(tiny_judges.loaded, {"sketchworld-clip/model.safetensors": "1" * 64})
    with pytest.raises(LepbenchError, match="was scored by another sketchworld-clip/model"):
        verify_run(copy, tiny_suite, judges=other)


def test_pictures_drawn_anew_are_the_stored(finished: Path, tiny_suite: Suite, tiny_judges: Judges) -> None:
    verified = verify_run(finished, tiny_suite, judges=tiny_judges, redraw=2, device="cpu")
    said = {check.name: (check.checked, check.trusted) for check in verified.checks}
    assert list(said) == ["suite", "counts", "pictures", "references", "judges", "redrawn"]
    assert said["redrawn"] == ("2 pictures of model, 2 pictures of unguided, 2 pictures of vae", "")
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
    monkeypatch.setattr("lepbench.evaluation.redraw.PICTURE_TOLERANCE", 0.0)
    record = read_record(finished)
    drawn = redraw_samples(finished, record, tiny_suite, 99, device="cpu", progress=ignore_progress)
    assert drawn == {"model": 10, "unguided": 10, "vae": 10}
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
    Image.fromarray(np.clip(drawn + 1, 0, 255).astype(np.uint8)).save(path)
    drawn_anew: dict[str, Any] = {"device": "cpu", "nonce": "nonce", "progress": ignore_progress}
    redraw_samples(copy, record, tiny_suite, 1, **drawn_anew)
    before = sha256_file(path)
    Image.fromarray(np.where(drawn < 128, drawn + 9, drawn - 9).astype(np.uint8)).save(path)
    assert sha256_file(path) != before
    with pytest.raises(LepbenchError, match=f"{path.name} differs by 0.0353 a pixel from the picture"):
        redraw_samples(copy, record, tiny_suite, 1, **drawn_anew)
