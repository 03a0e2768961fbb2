"""What a record says of files, packages and failures is held against what is here, or has a form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from forged_run import copy, edit, finished

from lepbench.errors import LepbenchError
from lepbench.evaluation.checks import verify_run
from lepbench.evaluation.provenance import check_embedded
from lepbench.evaluation.record import read_record
from lepbench.evaluation.run import evaluate
from lepbench.evaluation.verify import verify_record
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
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
    "a cached condition twice": (
        lambda d: d.update(reused=["vae", "vae"]),
        "vae, vae were kept from another",
    ),
    "the model from a cache": (
        lambda d: d.update(reused=["model"]),
        "model were kept .*; unguided, real, vae, overlay can be",
    ),
    "a version to come": (
        lambda d: d["identity"]["packages"].update(lepbench="99.0.0"),
        "is of lepbench '99.0.0', and this is ",
    ),
    "no version": (lambda d: d["identity"]["packages"].pop("lepbench"), "is of lepbench '', and this is"),
    "a device that there is not": (
        lambda d: d["identity"].update(device="quantum"),
        "identity.device must be 'cpu', .*, not 'quantum'",
    ),
    "a machine of another device": (
        lambda d: d["machine"].update(device="cuda"),
        "was drawn on 'cpu' by a machine with 'cuda'",
    ),
    "an accelerator of the cpu": (
        lambda d: d["machine"].update(accelerator="H100"),
        "was drawn on the cpu by 'H100'",
    ),
    "time of a condition left out": (lambda d: d["timing"]["drawing"].pop("vae"), "has no drawing time of"),
    "passes of real pictures": (
        lambda d: d["cost"].update(real=d["cost"]["unguided"]),
        "states what passes of a denoiser real took",
    ),
    "more steered than passed": (
        lambda d: d["cost"]["model"].update(steered_passes=99.0),
        "has 99 steered passes of model, of 4",
    ),
    "a sampler of fewer steps": (
        lambda d: d["identity"]["model"]["sampler"].update(steps=1),
        "has 4 passes of unguided in 1 steps",
    ),
    "a figure of more samples": (
        lambda d: d["rows"]["model"]["kid@sketchworld-clip"].update(n=50000),
        "says kid@sketchworld-clip of model is of 50000 samples, it is of 10",
    ),
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


@pytest.mark.parametrize("named", ["control/module", "code/torch", "weights"])
def test_files_that_a_model_does_not_have_are_refused(embedded: Path, named: str) -> None:
    edit(embedded, lambda d: d["identity"]["weights"].update({named: "0" * 64}))
    try:
        with pytest.raises(LepbenchError, match=f"names {named}, of which its model has nothing"):
            check_embedded(embedded, read_record(embedded))
    finally:
        edit(embedded, lambda d: d["identity"]["weights"].pop(named))


def test_judges_are_those_here(copy: Path, tiny_suite: Suite, tiny_judges: Judges) -> None:
    other = Judges(tiny_judges.loaded, {"sketchworld-clip/model.safetensors": "1" * 64})
    with pytest.raises(LepbenchError, match="was scored by another sketchworld-clip/model"):
        verify_run(copy, tiny_suite, judges=other)
    edit(copy, lambda d: d["identity"]["weights"].update({"sketchworld-clip/best": "0" * 64}))
    with pytest.raises(LepbenchError, match="names sketchworld-clip/best, which the judge does not have"):
        verify_run(copy, tiny_suite, judges=tiny_judges)
