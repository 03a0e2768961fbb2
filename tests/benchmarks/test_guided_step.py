"""The benchmark of a guided step runs for every backbone and batch size, and times what a GPU really did."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from benchmark_script import load_script

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "guided_step.py"
SECONDS = {"plain_s", "literal_s", "guided_s", "floor_s"}
ALWAYS = SECONDS | {"ratio", "floor_ratio", "saved_bytes", "literal_saved_bytes"}


@pytest.fixture(scope="module")
def script() -> Any:
    """The benchmark, which is a script and no part of the package."""
    return load_script("guided_step")


def lines(
    script: Any, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[dict[str, Any]]:
    """What it prints with --json for a tiny U-Net."""
    usual = ["--tiny", "--side", "8", "--rounds", "1", "--json"]
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *usual, *arguments])
    with torch.random.fork_rng():
        script.main()
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.slow
def test_by_default_it_prints_one_object(
    script: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (found,) = lines(script, [], monkeypatch, capsys)
    assert found.keys() > ALWAYS
    assert all(found[name] > 0 for name in ALWAYS)
    assert (found["backbone"], found["device"], found["dtype"]) == ("sd15", "cpu", "float32")
    assert (found["batch"], found["compiled"]) == (1, False)
    # Sixteen of the twenty steps of the preset are guided.
    assert found["pictures_s"] == pytest.approx(1 / (16 * found["guided_s"] + 4 * found["plain_s"]))


@pytest.mark.slow
def test_every_batch_size_has_an_object(
    script: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--backbone", "sdxl", "--dtype", "bfloat16", "--batch", "1", "3"]
    one, three = lines(script, arguments, monkeypatch, capsys)
    assert (one["batch"], three["batch"]) == (1, 3)
    assert {one["backbone"], three["backbone"]} == {"sdxl"}
    assert three["saved_bytes"] == pytest.approx(3 * one["saved_bytes"], rel=0.1)
    assert one["saved_bytes"] < one["literal_saved_bytes"]


def test_the_clock_waits_for_the_gpu(script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: events.append("wait"))
    script.seconds(lambda: events.append("work"))
    assert events == ["wait", "work", "wait"]


def test_the_literal_rendering_runs_nothing_that_is_compiled(
    script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "compile", lambda forward: forward)
    with torch.random.fork_rng():
        backbone = script.random_backbone(True)
        contest = script.Contest(backbone, 8, (8,), 2, script.Execution(compiled=True))
    ours, literal = (
        any("forward" in vars(module) for module in part.denoiser.modules())
        for part in (contest.backbone, contest.usual)
    )
    assert ours
    assert not literal
    assert len(contest.noise) == len(contest.prompts) == 2
