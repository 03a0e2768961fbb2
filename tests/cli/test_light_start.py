"""Commands that need no network import no torch, and what is missing is said before it is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "diffusers", "transformers", "scipy")
CALLS = (
    ("list", "presets"),
    ("list", "schedulers"),
    ("list", "suites"),
    ("list", "sketches"),
    ("list", "sources"),
    ("list", "engines"),
    ("leaderboard", "show"),
    ("leaderboard", "show", "sketchworld-edges-v1/lepbench-edges-v1", "--format", "markdown"),
    ("evaluate", "missing.yaml"),
    ("evaluate", "examples/mini-lep.yaml", "--suite", "missing"),
    ("evaluate", "examples/mini-lep.yaml", "--protocol", "missing.yaml"),
    ("run", "missing.yaml"),
    ("compare", "missing-a", "missing-b"),
    ("verify", "missing"),
    ("table", "missing"),
    ("report", "missing"),
    ("plot", "front", "missing", "--out", "a.pdf"),
    ("sample", "--prompt", "a fish", "--sketch", "missing.png", "--out", "fish.png"),
)
SCRIPT = """
import contextlib, importlib.metadata, io, json, sys

# Plug-ins import what they like.
importlib.metadata.distributions = lambda **wanted: ()
from lepbench.cli.app import main

found = []
for call in json.loads(sys.argv[1]):
    sys.argv = ["lepbench", *call]
    said, code = io.StringIO(), 0
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as ended:
            code = ended.code
    found.append({"code": code, "said": said.getvalue(), "modules": [n for n in HEAVY if n in sys.modules]})
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def outcomes() -> dict[tuple[str, ...], dict[str, Any]]:
    """Of every call its exit code, what it said, and the heavy modules that were imported by then."""
    script = f"HEAVY = {HEAVY!r}\n{SCRIPT}"
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(CALLS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(CALLS, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_no_heavy_module_is_imported(
    outcomes: dict[tuple[str, ...], dict[str, Any]], call: tuple[str, ...]
) -> None:
    assert outcomes[call]["modules"] == []


def test_lists_and_boards_are_printed(outcomes: dict[tuple[str, ...], dict[str, Any]]) -> None:
    assert "paper" in outcomes["list", "presets"]["said"]
    assert "sketchworld-edges-v1" in outcomes["list", "suites"]["said"]
    assert "mini-lep" in outcomes[CALLS[7]]["said"]
    assert "edge F1" in outcomes[CALLS[7]]["said"] or "faithful F1" in outcomes[CALLS[7]]["said"]
    assert all(outcomes[call]["code"] == 0 for call in CALLS[:8])


def test_what_is_missing_is_one_line_with_exit_code_2(
    outcomes: dict[tuple[str, ...], dict[str, Any]],
) -> None:
    for call in CALLS[8:]:
        outcome = outcomes[call]
        assert outcome["code"] == 2, call
        assert outcome["said"].startswith("lepbench: "), call
        assert outcome["said"].count("\n") == 1, call
        assert "missing" in outcome["said"], call
